/** One folder, or file, of the server: what it may import. */

export interface Room {
  /** Files (`policies/store.ts`) and whole rooms (`runtime/`) of the server. Every room may import itself and the wire package. */
  readonly may: readonly string[];
  /** Modules of Node, without `node:`. */
  readonly node: readonly string[];
  /** Packages from npm, and `@thingkeep/x509`. */
  readonly packages: readonly string[];
  /** What the room must stay. */
  readonly invariant: string;
}

export const room = (
  invariant: string,
  may: readonly string[],
  node: readonly string[] = [],
  packages: readonly string[] = [],
): Room => ({
  may,
  node,
  packages,
  invariant,
});
