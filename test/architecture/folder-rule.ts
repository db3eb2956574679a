/** One folder, or file, of the server: what it may import. */

export interface FolderRule {
  /**
   * Files (`policies/store.ts`) and whole folders (`runtime/`) of the server. Every folder may import itself and the wire
   * package.
   */
  readonly may: readonly string[];
  /** Modules of Node, without `node:`. */
  readonly node: readonly string[];
  /** Packages from npm, and `@thingkeep/x509`. */
  readonly packages: readonly string[];
  /** What the folder must stay: the text of a fault. */
  readonly invariant: string;
}

export const folderRule = (
  invariant: string,
  may: readonly string[],
  node: readonly string[] = [],
  packages: readonly string[] = [],
): FolderRule => ({
  may,
  node,
  packages,
  invariant,
});

/** Among what a folder may import: the `domain.ts` of any folder. */
export const ANY_DOMAIN = '*/domain.ts';
