/** Timestamps of the AWS REST-JSON protocol: epoch seconds in JSON, ISO 8601 in a query, RFC 9110 dates in headers. */

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;
const EPOCH = /^-?\d{1,14}(?:\.\d{1,9})?$/;
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

const valid = (date: Date): Date | undefined => (Number.isNaN(date.getTime()) ? undefined : date);

export const dateOfEpochSeconds = (seconds: number): Date | undefined => valid(new Date(Math.round(seconds * 1000)));

/** ISO 8601, an HTTP date, or epoch seconds; undefined for anything else. */
export function dateOfText(text: string): Date | undefined {
  if (EPOCH.test(text)) return dateOfEpochSeconds(Number(text));
  return ISO.test(text) || HTTP_DATE.test(text) ? valid(new Date(text)) : undefined;
}

export const epochSeconds = (date: Date): number => date.getTime() / 1000;
