/** Copies a file of a backup into a new file, for the owner alone, with all of it on disk. */
import { open } from 'node:fs/promises';

/** Bytes that are read at a time. */
const CHUNK = 1024 * 1024;

export interface CopyOptions {
  /** Bytes that are copied at most; all when absent. */
  readonly bytes?: number | undefined;
  /** Ends the copy: it fails. */
  readonly signal?: AbortSignal | undefined;
  /** Whose the new file is; only root can give it away. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

export async function copyFile(from: string, to: string, { bytes, signal, owner }: CopyOptions = {}): Promise<void> {
  const most = bytes ?? Number.POSITIVE_INFINITY;
  await using source = await open(from, 'r');
  await using target = await open(to, 'wx', 0o600);
  await target.chmod(0o600);
  if (owner !== undefined && process.getuid?.() === 0) await target.chown(owner.uid, owner.gid);
  const chunk = Buffer.allocUnsafe(CHUNK);
  for (let at = 0; at < most; ) {
    signal?.throwIfAborted();
    const { bytesRead } = await source.read(chunk, 0, Math.min(CHUNK, most - at), at);
    if (bytesRead === 0) break;
    await target.writeFile(chunk.subarray(0, bytesRead));
    at += bytesRead;
  }
  await target.sync();
}
