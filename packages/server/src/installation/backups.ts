/** Backups that a running server writes when its operator asks for one: one at a time, into a folder that the asker made. */
import { realpathSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { fail, messageOf } from '@thingkeep/wire/errors.ts';
import { ConfigError } from '../config/config-error.ts';
import type { Logger } from '../runtime/log.ts';
import { type BackupSource, type BackupSummary, checkTarget, writeBackup } from './backup.ts';

const NOTE = /^[0-9a-f]{64}$/;

export class Backups implements AsyncDisposable {
  readonly #source: Omit<BackupSource, 'signal'> & { readonly log: Logger };
  readonly #stop = new AbortController();
  #running: Promise<BackupSummary> | undefined;

  constructor(source: Omit<BackupSource, 'signal'> & { readonly log: Logger }) {
    this.#source = source;
  }

  /** Writes a backup into the folder. `note` is what the asker has put there: a proof that it may write there. */
  readonly write = async (target: string, note: string): Promise<BackupSummary> => {
    if (this.#running !== undefined) fail('InvalidRequestException', 'A backup is being written already');
    const { folder, log } = this.#source;
    try {
      if (!isAbsolute(target) || !NOTE.test(note)) throw new ConfigError('the folder or the note of the backup is missing');
      checkTarget(folder, target, note);
      if (realpathSync(target) !== target) throw new ConfigError(`backup folder ${target} is behind a link`);
      this.#running = writeBackup({ ...this.#source, signal: this.#stop.signal }, target);
      const summary = await this.#running;
      log.info({ event: 'backup-written', path: target, ...summary }, 'a backup was written');
      return summary;
    } catch (error) {
      if (error instanceof ConfigError) return fail('InvalidRequestException', error.message);
      log.error({ err: error, event: 'backup-failed', path: target }, 'a backup could not be written');
      return fail('ServiceUnavailableException', `The backup could not be written: ${messageOf(error)}`);
    } finally {
      this.#running = undefined;
    }
  };

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running?.catch(() => undefined);
  }
}
