/** Checks over the project's Markdown: links that lead nowhere, files named that are not there, lines that are too wide. */
import { posix } from 'node:path';

export interface Page {
  readonly path: string;
  readonly text: string;
}

const FENCE = /^(`{3,}|~{3,})[\s\S]*?^\1[^\n]*$/gm;
const LINK = /\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g;
const CODE = /`([^`\n]+)`/g;
const HEADING = /^#{1,6}\s+(.+?)\s*#*$/gm;
/** A path of a text file: at least one folder, and an ending that only the project's own files have. */
const NAMED = /^[\w@.][\w@.-]*(\/[\w.-]+)+\.(ts|md)$/;
/** Where ARCHITECTURE and its like begin to count. */
const BEGINNINGS = ['', 'packages/server/src/', 'packages/wire/src/', 'packages/x509/src/', 'packages/'];

const bare = (text: string): string => text.replace(FENCE, '');

/** As GitHub makes anchors of headings. */
const anchorOf = (heading: string): string =>
  heading
    .replace(/`|\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');

const anchorsOf = (text: string): Set<string> =>
  new Set([...bare(text).matchAll(HEADING)].map(([, heading = '']) => anchorOf(heading)));

export function linkFaults(pages: readonly Page[], files: readonly string[]): string[] {
  const folders = new Set(files.flatMap((path) => path.split('/').map((_, i, parts) => parts.slice(0, i).join('/') || '.')));
  const known = new Set(files);
  const texts = new Map(pages.map(({ path, text }) => [path, text]));
  return pages.flatMap(({ path, text }) =>
    [...bare(text).matchAll(LINK)].flatMap(([, link = '']) => {
      if (/^[a-z][a-z0-9+.-]*:/i.test(link)) return [];
      const [file = '', anchor] = decodeURIComponent(link).split('#');
      const target = file === '' ? path : posix.normalize(posix.join(posix.dirname(path), file)).replace(/\/$/, '');
      if (!known.has(target) && !folders.has(target)) return [`${path} links to ${link}, which is not there`];
      const there = texts.get(target);
      if (anchor !== undefined && there !== undefined && !anchorsOf(there).has(anchor))
        return [`${path} links to ${link}: no such heading`];
      return [];
    }),
  );
}

export function namedFileFaults(pages: readonly Page[], files: readonly string[]): string[] {
  const known = new Set(files);
  return pages.flatMap(({ path, text }) =>
    [...bare(text).matchAll(CODE)].flatMap(([, code = '']) => {
      if (!NAMED.test(code) || code.startsWith('node_modules/') || code.startsWith('@')) return [];
      const places = [posix.dirname(path), ...BEGINNINGS].map((place) => posix.normalize(posix.join(place, code)));
      return places.some((place) => known.has(place)) ? [] : [`${path} names ${code}, which is not there`];
    }),
  );
}

/** Columns of a line of prose. */
const WIDTH = 100;
/** Headings and rows of tables. */
const ONE_LINE = /^(?:#|\s*\|)/;
const ONE_LINK = /\[[^\]]*\]\([^)\s]*\)/g;

/** Whether a line has more than one word: code and links count as one, as they can't be broken. */
const canBreak = (line: string): boolean =>
  line
    .replace(CODE, '`')
    .replace(ONE_LINK, '[]')
    .replace(/^\s*(?:(?:[-*]|\d+\.)\s+)?/, '')
    .trim()
    .includes(' ');

/** Code by indentation comes behind an empty line, and no list goes on there. */
const withoutIndentedCode = (text: string): string =>
  text.replace(/(?<=^(?![-*\d ]).*\n\n)(?: {4}.*\n|\n)+/gm, (found) => found.replace(/\S/g, ''));

export function widthFaults(pages: readonly Page[]): string[] {
  return pages.flatMap(({ path, text }) =>
    withoutIndentedCode(text.replace(FENCE, (code) => code.replace(/[^\n]/g, '')))
      .split('\n')
      .flatMap((line, index) =>
        [...line].length <= WIDTH || ONE_LINE.test(line) || !canBreak(line)
          ? []
          : [`${path}:${index + 1} has ${[...line].length} columns: a line of prose has ${WIDTH} at most`],
      ),
  );
}
