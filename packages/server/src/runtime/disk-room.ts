/** The free space of the data folder's file system: below the floor nothing more is stored. */
import { statfs } from 'node:fs/promises';
import type { Logger } from './log.ts';

/** Whether new records are refused because the disk is nearly full. */
export interface Disk {
  readonly low: boolean;
}

/** The default floor: a share of the file system, at most MAX_DEFAULT bytes. */
const SHARE = 0.02;
const MAX_DEFAULT = 512 * 1024 * 1024;

/** The default floor of a file system of `total` bytes. */
export const defaultFloor = (total: number): number => Math.min(MAX_DEFAULT, Math.floor(total * SHARE));

export interface DiskRoomOptions {
  /** A folder on the file system. */
  readonly path: string;
  /** Bytes that must stay free; undefined for the default. */
  readonly floor: number | undefined;
  readonly log: Logger;
}

export class DiskRoom implements Disk {
  readonly #options: DiskRoomOptions;
  #low = false;
  /** Whether the last trial write was refused. */
  #isRefusing = false;
  #free = 0;
  #least = 0;

  constructor(options: DiskRoomOptions) {
    this.#options = options;
  }

  get low(): boolean {
    return this.#low || this.#isRefusing;
  }

  /** Takes the outcome of a trial write: while the disk refuses writes, nothing more is stored. */
  refuses(isRefusing: boolean): void {
    this.#isRefusing = isRefusing;
  }

  /** Bytes that were free at the last check. */
  get free(): number {
    return this.#free;
  }

  /** Bytes that must stay free, as of the last check. */
  get floor(): number {
    return this.#least;
  }

  /** Reads the free space; to be called about once a second. Logs when the floor is crossed. */
  async look(): Promise<void> {
    const { path, floor, log } = this.#options;
    const { bavail, bsize, blocks } = await statfs(path);
    this.#free = bavail * bsize;
    const least = floor ?? defaultFloor(blocks * bsize);
    this.#least = least;
    const low = this.#free < least;
    if (low === this.#low) return;
    this.#low = low;
    const members = { path, free: this.#free, floor: least };
    if (low) log.error({ event: 'disk-low', ...members }, 'the disk is nearly full: what has to be kept is refused');
    else log.info({ event: 'disk-free', ...members }, 'the disk has room again');
  }
}
