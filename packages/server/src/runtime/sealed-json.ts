/** JSON texts with a checksum of their own: a file that a flipped bit or a hand has changed is told from a whole one. */
import { createHash } from 'node:crypto';

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The object as a text of lines whose last member `sha256` is the digest of the others. */
export const sealJson = (value: object): string =>
  `${JSON.stringify({ ...value, sha256: digestOf(JSON.stringify(value)) }, undefined, 2)}\n`;

/** The object that `sealJson` made this text of; undefined for every other text. */
export function unsealJson(text: string): Readonly<Record<string, unknown>> | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
  const { sha256: _, ...value } = parsed as Record<string, unknown>;
  // Byte by byte: what JSON would read in the same way is none the less not what was written.
  return sealJson(value) === text ? value : undefined;
}
