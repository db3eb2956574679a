/** Puts the names in a folder on disk: without it a power cut may bring back a file that was replaced or removed, or lose a new one. */
import { closeSync, fsyncSync, openSync } from 'node:fs';

export function fsyncFolder(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
