/**
 * PEM (RFC 7468): reading is tolerant of what devices send (76 columns, CRLF, blank lines, text around the block),
 * strict about what the block holds, and linear; writing is 64 columns, or as many as are asked for, with a newline at the end.
 */

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** All blocks with one of these labels, in order; undefined when a block is broken. */
export function pemBlocks(text: string, labels: readonly string[]): Buffer[] | undefined {
  const blocks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const begin = text.indexOf('-----BEGIN ', at);
    if (begin < 0) return blocks;
    const close = text.indexOf('-----', begin + 11);
    // A label is short; this also bounds the search for its end line.
    if (close < 0 || close - begin > 64) return undefined;
    const label = text.slice(begin + 11, close);
    const endLine = `-----END ${label}-----`;
    const end = text.indexOf(endLine, close + 5);
    if (end < 0) return undefined;
    at = end + endLine.length;
    if (!labels.includes(label)) continue;
    const body = text.slice(close + 5, end).replace(/\s/g, '');
    if (body.length % 4 !== 0 || !BASE64.test(body)) return undefined;
    blocks.push(Buffer.from(body, 'base64'));
  }
}

/** The one block that `text` must hold; undefined when it holds none, several or a broken one. */
export function onePemBlock(text: string, labels: readonly string[]): Buffer | undefined {
  const blocks = pemBlocks(text, labels);
  return blocks?.length === 1 ? blocks[0] : undefined;
}

export function toPem(label: string, bytes: Buffer, columns = 64): string {
  const text = bytes.toString('base64');
  const lines = Array.from({ length: Math.ceil(text.length / columns) }, (_, index) =>
    text.slice(index * columns, (index + 1) * columns),
  );
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
