/** Tokens of lists that are whole in memory: the offset of the page that comes next. */

const OFFSET = /^[1-9]\d{0,8}$/;

/** Where a list of this length goes on; undefined for a token that no page of it has given. */
export function pageOffset(token: string | undefined, length: number): number | undefined {
  if (token === undefined) return 0;
  const offset = OFFSET.test(token) ? Number(token) : length;
  return offset < length ? offset : undefined;
}
