/** How much of the data folder's file system is free: below the floor nothing more is taken that has to be kept. */
import { statfs } from 'node:fs/promises';
import type { Logger } from './log.ts';

/** What others ask: whether new things to keep are to be refused. */
export interface Disk {
  readonly low: boolean;
}

/** The default floor: a share of the file system, and at most so many bytes. */
const SHARE = 0.02;
const MAX_DEFAULT = 512 * 1024 * 1024;

/** The floor of a file system of so many bytes when none is set. */
export const defaultFloor = (total: number): number => Math.min(MAX_DEFAULT, Math.floor(total * SHARE));

export interface DiskRoomOptions {
  /** A folder on the file system. */
  readonly path: string;
  /** Bytes that have to stay free; undefined for the default. */
  readonly floor: number | undefined;
  readonly log: Logger;
}

export class DiskRoom implements Disk {
  readonly #options: DiskRoomOptions;
  #low = false;
  /** Whether the disk has refused the last write that was tried. */
  #isRefusing = false;
  #free = 0;

  constructor(options: DiskRoomOptions) {
    this.#options = options;
  }

  get low(): boolean {
    return this.#low || this.#isRefusing;
  }

  /** To be told the outcome of a trial write: while the disk refuses, nothing is taken that has to be kept. */
  refuses(isRefusing: boolean): void {
    this.#isRefusing = isRefusing;
  }

  /** Bytes that were free at the last look. */
  get free(): number {
    return this.#free;
  }

  /** Looks at the file system: to be called about once a second. A line of the log says when the floor is crossed. */
  async look(): Promise<void> {
    const { path, floor, log } = this.#options;
    const { bavail, bsize, blocks } = await statfs(path);
    this.#free = bavail * bsize;
    const least = floor ?? defaultFloor(blocks * bsize);
    const low = this.#free < least;
    if (low === this.#low) return;
    this.#low = low;
    const members = { path, free: this.#free, floor: least };
    if (low) log.error({ event: 'disk-low', ...members }, 'the disk is nearly full: what has to be kept is refused');
    else log.info({ event: 'disk-free', ...members }, 'the disk has room again');
  }
}
