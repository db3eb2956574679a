/** Bytes that a command gives out: into a file, or in hexadecimal on standard output. */
import { replaceFile } from '../files/replace-file.ts';
import type { CommandResult, Flag, Given, JsonValue } from './command.ts';

export const OUT_FLAG: Flag = {
  name: 'out',
  short: 'o',
  value: 'FILE',
  what: 'where the bytes go, as they are; else in hexadecimal to standard output',
  isPath: true,
};

/** Writes `bytes` where `--out` says; `data` is what `--json` prints besides the bytes. */
export function bytesResult(given: Given, bytes: Buffer, data: Readonly<Record<string, JsonValue | undefined>>): CommandResult {
  const out = given.text('out');
  const hex = bytes.toString('hex');
  if (out === undefined) return { data: { ...data, hex }, text: hex };
  replaceFile(out, bytes, 0o644);
  return { data: { ...data, hex, out }, text: `wrote ${bytes.length} bytes to ${out}` };
}
