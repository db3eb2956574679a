/** The author of a record that names an address: records of the home account's root are exempt from the egress rules. */

/** A caller of the API. */
interface Author {
  readonly accountId: string;
  readonly arn: string;
}

/** Whether the root of its account makes the call. */
export const isRoot = ({ accountId, arn }: Author): boolean => arn === `arn:aws:iam::${accountId}:root`;

/** Host and port of an http or https URL up to the character that ends them, before the first template. */
const FIXED_HOST = /^https?:\/\/[^/?#\\$]+[/?#]/i;

/** Whether the host of a URL has no template in it. */
export const hasFixedHost = (text: string): boolean => !text.includes('${') || FIXED_HOST.test(text);
