/** A store under test whose files are copied while it is open: what a kill or a power cut would leave. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collection, type HookedStore } from '../contract.ts';
import type { DamagedLog, Recovery } from './files.ts';
import { openSqliteStore } from './sqlite-store.ts';

interface Note {
  readonly at: number;
  readonly text: string;
}

const notes = collection<Note>('notes', (note) => [note.at], { byText: (note) => [[note.text.slice(0, 8)]] });

/** The two files of a store, in memory. */
export interface Files {
  readonly data: Buffer;
  readonly log: Buffer;
}

/** Random numbers that come again for a seed. */
export function seeded(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return Math.floor(((state >>> 0) / 2 ** 32) * below);
  };
}

export class LogBench implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'thingkeep-log-'));
  readonly path = join(this.folder, 'thingkeep.db');
  /** Transactions that were acknowledged. */
  acknowledged = 0;

  open(damagedLog?: DamagedLog, onRecovery?: (recovery: Recovery) => void): Promise<HookedStore> {
    return openSqliteStore({ path: this.path, damagedLog, onRecovery });
  }

  /** One transaction: a number that goes up, and notes of some size. */
  async write(store: HookedStore, count = 3, size = 900): Promise<void> {
    const turn = this.acknowledged + 1;
    await store.write(async (tx) => {
      await tx.put(notes, { at: 0, text: String(turn) });
      for (let i = 1; i <= count; i += 1)
        await tx.put(notes, { at: turn * 1000 + i, text: `${turn}/${count} ${'x'.repeat(size)}` });
    });
    this.acknowledged = turn;
  }

  /** The last transaction that the store has, once it is seen that it has all before it, whole. */
  async last(store: HookedStore): Promise<number> {
    return store.read(async (tx) => {
      const turn = Number((await tx.get(notes, [0]))?.text ?? '0');
      const counts = new Map<number, number>();
      const { items } = await tx.scan(notes, { prefix: [] });
      for (const { at } of items) counts.set(Math.floor(at / 1000), (counts.get(Math.floor(at / 1000)) ?? 0) + 1);
      for (const { at, text } of items) {
        const [of, count] = (text.split(' ', 1)[0] ?? '').split('/');
        const whole = at === 0 || (at > 1000 && Number(of) === Math.floor(at / 1000) && counts.get(Number(of)) === Number(count));
        if (!whole || Number(of) > turn) throw new RangeError(`note ${at} of transaction ${of} is not whole at ${turn}`);
      }
      if (counts.size !== turn + (turn === 0 ? 0 : 1)) throw new RangeError(`${counts.size - 1} transactions of ${turn}`);
      return turn;
    });
  }

  /** The files as they are now. */
  take(): Files {
    const log = `${this.path}-wal`;
    return { data: readFileSync(this.path), log: existsSync(log) ? readFileSync(log) : Buffer.alloc(0) };
  }

  /** Puts files there, in place of those that are. */
  put({ data, log }: Files): void {
    for (const end of ['-journal', '-wal', '-lock', '-commits']) rmSync(this.path + end, { force: true });
    writeFileSync(this.path, data);
    if (log.length > 0) writeFileSync(`${this.path}-wal`, log);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
