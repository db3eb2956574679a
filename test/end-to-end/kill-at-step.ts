/**
 * A module that is loaded before a program (`node --import`): kills its process with SIGKILL before the change of the
 * disk whose number is in KILL_AT, so that a test can stop a start at each of its steps.
 */
import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { DatabaseSync } from 'node:sqlite';

const killAt = Number(process.env.KILL_AT);
let steps = 0;

function step(): void {
  steps += 1;
  if (steps === killAt) process.kill(process.pid, 'SIGKILL');
}

type Members = Record<string, (...args: unknown[]) => unknown>;

function before(members: Members, name: string, isStep: (first: unknown, second: unknown) => boolean = () => true): void {
  const original = members[name];
  if (original === undefined) return;
  members[name] = function (this: unknown, ...args: unknown[]) {
    if (isStep(args[0], args[1])) step();
    return original.apply(this, args);
  };
}

/** Opened to be written. */
const writes = (_: unknown, flags: unknown): boolean => typeof flags === 'string' && flags !== 'r';

const CHANGES = ['mkdir', 'rename', 'rm', 'chmod'];
for (const name of CHANGES) {
  before(fs as unknown as Members, `${name}Sync`);
  before(promises as unknown as Members, name);
}
for (const name of ['writeFileSync', 'writeSync', 'fsyncSync']) before(fs as unknown as Members, name);
before(fs as unknown as Members, 'openSync', writes);
before(promises as unknown as Members, 'open', writes);
before(DatabaseSync.prototype as unknown as Members, 'exec', (sql) => /COMMIT|journal_mode/.test(String(sql)));
syncBuiltinESMExports();
