/** A check over pages whose blocks are pasted: no two of them make a record or a file of one name, so that all fit on one server. */
import type { Page } from './prose.ts';

const BLOCK = /^```sh(?: \S+)?\n([\s\S]*?)^```$/gm;
/** What makes a thing that is there once, with the name that it gets. */
const MADE = /(?<![\w-])(create-[a-z-]+ --(?:[a-z-]+-)?(?:name|id)|s3 mb|--[a-z-]+-outfile) ([^\s$"']+)/g;
/** Pages that are read beside a server which is the reader's own; walkthroughs have one each. */
const PASTED = /^(?:README\.md|docs\/(?:kit\/)?[^/]+\.md)$/;

const madeBy = ({ text }: Page): Set<string> =>
  new Set(
    [...text.matchAll(BLOCK)].flatMap(([, block = '']) =>
      [...block.matchAll(MADE)].map(([, command = '', name = '']) =>
        command.endsWith('outfile') ? `the file ${name}` : `${command} ${name}`,
      ),
    ),
  );

export function pageNameFaults(pages: readonly Page[]): string[] {
  const makers = new Map<string, string>();
  return pages
    .filter(({ path }) => PASTED.test(path))
    .flatMap((page) =>
      [...madeBy(page)].flatMap((made) => {
        const other = makers.get(made);
        makers.set(made, page.path);
        return other === undefined ? [] : [`${page.path} makes what ${other} has made: ${made}`];
      }),
    );
}
