/** The head of an HTTP request, as authenticators read it. */

/** Head of an HTTP request or of a WebSocket's upgrade. */
export interface HttpHead {
  readonly method: string;
  /** Raw path and raw query (without `?`), as sent. */
  readonly path: string;
  readonly query: string;
  /** Lower-case name -> every value, in order of arrival. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Address of this server on which it came. */
  readonly arrivedAt?: string;
}

/** The value of a header that stands there exactly once. */
export const singleHeader = (head: HttpHead, name: string): string | undefined => {
  const values = head.headers.get(name) ?? [];
  return values.length === 1 ? values[0] : undefined;
};
