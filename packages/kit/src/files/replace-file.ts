/** Writes files so that a power cut loses nothing: beside, synced, renamed, and the folder synced. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes a file whole, with this mode: after a power cut there is the old content or the new one. */
export function replaceFile(path: string, content: string | Buffer, mode: number): void {
  const beside = `${path}.new`;
  // A file of this name is left from a cut, or is a link of another user's: a new one has its own mode and place.
  rmSync(beside, { force: true });
  const file = openSync(beside, 'wx', mode);
  try {
    const bytes = Buffer.from(content);
    for (let at = 0; at < bytes.length; at += writeSync(file, bytes, at));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(beside, path);
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
