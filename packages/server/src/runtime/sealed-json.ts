/** JSON texts with their own SHA-256: a file that was damaged or edited is refused. */
import { createHash } from 'node:crypto';

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The object as a text of lines whose last member `sha256` is the digest of the others. */
export const sealJson = (value: object): string =>
  `${JSON.stringify({ ...value, sha256: digestOf(JSON.stringify(value)) }, undefined, 2)}\n`;

/** Reads a text of `sealJson`; undefined for every other text. */
export function unsealJson(text: string): Readonly<Record<string, unknown>> | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
  const { sha256: _, ...value } = parsed as Record<string, unknown>;
  // Compared byte by byte: another text with the same JSON value is refused too.
  return sealJson(value) === text ? value : undefined;
}
