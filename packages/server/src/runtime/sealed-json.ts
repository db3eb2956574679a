/** JSON texts with a SHA-256 of themselves: a file that was changed, by a flipped bit or by hand, is refused. */
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
  // Byte by byte: another text that JSON reads in the same way is not what was written either.
  return sealJson(value) === text ? value : undefined;
}
