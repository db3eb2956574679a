/** Files that only the owner may read, written whole or not at all. */
import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';

export function writePrivateFile(path: string, text: string, mode = 0o600): void {
  const fresh = `${path}.new`;
  const file = openSync(fresh, 'w', mode);
  try {
    fchmodSync(file, mode);
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(fresh, path);
}
