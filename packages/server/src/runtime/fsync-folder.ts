/** Syncs the names of a folder to disk; otherwise a power cut may restore a replaced or removed file, or lose a new one. */
import { closeSync, fsyncSync, openSync } from 'node:fs';

export function fsyncFolder(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
