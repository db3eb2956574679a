/** Who wrote a record that names an address: what the root of the home account wrote is exempt from egress rules. */

/** As a caller of the API is known. */
interface Author {
  readonly accountId: string;
  readonly arn: string;
}

/** Whether the root of its account makes the call. */
export const isRoot = ({ accountId, arn }: Author): boolean => arn === `arn:aws:iam::${accountId}:root`;

/** Host and port of an http or https URL with what ends them, in front of the first template. */
const FIXED_HOST = /^https?:\/\/[^/?#\\$]+[/?#]/i;

/** Whether no template stands in the host of the URL that a text becomes. */
export const hasFixedHost = (text: string): boolean => !text.includes('${') || FIXED_HOST.test(text);
