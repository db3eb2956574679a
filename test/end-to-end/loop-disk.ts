/**
 * A disk that can lose its power: an image file, mounted by way of the loop device. What a program has not synced is in
 * the memory of the mounted file system and not in the file, so a copy of the file is what a power cut would leave.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const sh = (command: string, ...args: string[]): void =>
  void execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });

export class LoopDisk implements Disposable {
  readonly folder: string;
  readonly #image: string;
  readonly #left: string;

  private constructor(at: string) {
    this.folder = join(at, 'disk');
    this.#image = join(at, 'image');
    this.#left = join(at, 'left-by-the-cut');
  }

  /** Undefined where this machine does not let us mount one. */
  static make(at: string, megabytes: number): LoopDisk | undefined {
    const disk = new LoopDisk(at);
    mkdirSync(disk.folder, { recursive: true });
    writeFileSync(disk.#image, '');
    truncateSync(disk.#image, megabytes * 1024 * 1024);
    try {
      sh('mkfs.ext4', '-q', '-F', disk.#image);
      disk.#mount();
      return disk;
    } catch {
      return undefined;
    }
  }

  /** Keeps what is on the disk at this moment. Whoever writes to it should stand still. */
  cut(): void {
    copyFileSync(this.#image, this.#left);
  }

  /** Starts again with what the cut has left; nobody may use the disk. */
  restore(): void {
    sh('umount', this.folder);
    copyFileSync(this.#left, this.#image);
    this.#mount();
  }

  /** Mounts it anew after an error that made it read-only, repaired; nobody may use the disk. */
  repair(): void {
    sh('umount', this.folder);
    // It exits with 1 when it has mended something.
    spawnSync('fsck.ext4', ['-p', '-f', this.#image], { stdio: 'ignore' });
    this.#mount();
  }

  [Symbol.dispose](): void {
    try {
      sh('umount', '-l', this.folder);
    } catch {
      // It was not mounted.
    }
    rmSync(this.#left, { force: true });
  }

  #mount(): void {
    sh('mount', '-o', 'loop', this.#image, this.folder);
  }
}
