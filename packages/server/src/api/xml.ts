/** XML as AWS's query services write it: elements with text or elements, nothing else. */

export type Xml = string | readonly (readonly [name: string, content: Xml])[];

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** Characters that no XML 1.0 document may hold, not even by a reference. */
const FORBIDDEN = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

const reference = (char: string): string => `&#x${(char.codePointAt(0) ?? 0).toString(16).toUpperCase()};`;

/** Escaped, and without what is forbidden. A reader takes a carriage return that stands there by itself for a line feed. */
const text = (value: string): string =>
  value
    .toWellFormed()
    .replace(FORBIDDEN, '')
    .replace(/[&<>"']/g, (char) => ENTITIES[char] ?? '')
    .replaceAll('\r', reference);

/** As S3 does: what is forbidden stands there as a reference, which many readers refuse and none takes for another name. */
export const textWithReferences = (value: string): string =>
  value
    .toWellFormed()
    .replace(/[&<>"']/g, (char) => ENTITIES[char] ?? '')
    .replace(FORBIDDEN, reference)
    .replaceAll('\r', reference);

export const xml = (content: Xml, write = text): string =>
  typeof content === 'string'
    ? write(content)
    : content.map(([name, inner]) => `<${name}>${xml(inner, write)}</${name}>`).join('');

export const xmlDocument = (name: string, namespace: string | undefined, content: Xml, write = text): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${name}${namespace === undefined ? '' : ` xmlns="${namespace}"`}>${xml(content, write)}</${name}>\n`;
