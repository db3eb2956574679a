/** XML as AWS's query services write it: elements with text or elements, nothing else. */

export type Xml = string | readonly (readonly [name: string, content: Xml])[];

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** Escaped, and without the characters that no XML 1.0 document may hold. */
const text = (value: string): string =>
  value
    .toWellFormed()
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
    .replace(/[&<>"']/g, (char) => ENTITIES[char] ?? '');

export const xml = (content: Xml): string =>
  typeof content === 'string' ? text(content) : content.map(([name, inner]) => `<${name}>${xml(inner)}</${name}>`).join('');

export const xmlDocument = (name: string, namespace: string | undefined, content: Xml): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${name}${namespace === undefined ? '' : ` xmlns="${namespace}"`}>${xml(content)}</${name}>\n`;
