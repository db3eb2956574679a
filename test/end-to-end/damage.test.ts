/**
 * Random flips of bits, cuts and lost sectors anywhere in a data folder, after a clean stop and after a kill -9: no wrong
 * answer and no silent loss. Each damage is refused at the start, named in the log, found by the check, or without effect.
 * THINGKEEP_FLIPS sets how many, THINGKEEP_THINGS how large the folder is, THINGKEEP_SEED which.
 */
// suite: long
// needs: openssl
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { answers, damage, fill } from './damage-folder.ts';
import type { Device } from './devices.ts';
import { succeed } from './run-command.ts';
import { startServer, temporaryFolder, thingkeep } from './test-core.ts';

const FLIPS = Number(process.env.THINGKEEP_FLIPS ?? 100);
const THINGS = Number(process.env.THINGKEEP_THINGS ?? 500);
const SEED = Number(process.env.THINGKEEP_SEED ?? 1);
/** What the server writes anew, or writes for others and never reads. */
const COPIES = ['root-ca.pem', 'server.json'];

type End = 'refused' | 'named' | 'checked' | 'no effect';

const random = (seed: number) => (below: number) => {
  seed = (seed * 1103515245 + 12345) % 2147483648;
  return Math.floor((seed / 2147483648) * below);
};

/** Questions whose answers differ; one that was refused is no wrong answer. */
const wrong = (right: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>): string[] =>
  [...right].filter(([question, answer]) => found.get(question) !== answer).map(([question]) => question);

/** Events of the log that name a damage. */
const NAMED =
  /^(damaged-record|notes-damaged|index-damaged|log-damaged|log-mended|key-file-damaged|audit-log-changed|domain-not-served)$|unreadable/;

async function outcome(
  dataDir: string,
  device: Device,
  csr: string,
  right: ReadonlyMap<string, string>,
  what: string,
): Promise<End> {
  let differs: string[] = [];
  let isNamed = false;
  try {
    await using server = await startServer({ dataDir });
    isNamed = server.log.some(({ event = '' }) => NAMED.test(event));
    if (process.env.THINGKEEP_FLIPS !== undefined)
      console.log(
        what,
        server.log.map(({ event }) => event).filter((event) => event !== 'running-as-root'),
      );
    const found = await answers(server, device, csr);
    differs = wrong(right, found);
    const invented = [...found].filter(([question, answer]) => !right.has(question) && !/refused/.test(answer));
    assert.deepEqual(invented, [], what);
    const different = differs.filter((question) => found.has(question) && !/refused/.test(found.get(question) ?? ''));
    // A queue that has lost a damaged message is told by the log; any other answer is right or refused.
    assert.deepEqual(
      different.filter((question) => question !== 'the queue' || !isNamed),
      [],
      what,
    );
  } catch (error) {
    // A start that is refused is one line for the operator.
    const { message } = error as Error;
    if (!/^the server ended with [12]: thingkeep: [^\n]+$/.test(message))
      throw new Error(`${what}: ${message}`, { cause: error });
    return 'refused';
  }
  if (differs.length > 0) {
    assert.ok(isNamed, `${what}: ${differs.join(', ')} without a word`);
    return 'named';
  }
  if (isNamed) return 'named';
  const { code } = await thingkeep(['check', '--data-dir', dataDir]);
  return code === 0 ? 'no effect' : 'checked';
}

test(`${FLIPS} damages: no wrong answer, no silent loss`, async (context) => {
  const folder = temporaryFolder();
  try {
    const original = join(folder, 'original');
    mkdirSync(original, { mode: 0o700 });
    await succeed('openssl', [
      ...['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=x'],
      ...['-keyout', join(folder, 'csr.key'), '-out', join(folder, 'x.csr')],
    ]);
    const csr = readFileSync(join(folder, 'x.csr'), 'utf8');
    let device: Device | undefined;
    let right = new Map<string, string>();
    {
      const server = await startServer({ dataDir: original });
      device = await fill(server, THINGS);
      right = await answers(server, device, csr);
      await server.signal('SIGKILL');
      await server.stop();
    }
    cpSync(original, join(folder, 'killed'), { recursive: true });
    {
      await using server = await startServer({ dataDir: original });
      assert.deepEqual(await answers(server, device, csr), right);
    }
    cpSync(original, join(folder, 'stopped'), { recursive: true });
    // Without damage both are served as they are: what is refused below is refused for its damage.
    for (const after of ['killed', 'stopped']) {
      const dataDir = join(folder, 'undamaged');
      cpSync(join(folder, after), dataDir, { recursive: true });
      assert.equal(await outcome(dataDir, device, csr, right, `undamaged, ${after}`), 'no effect');
      rmSync(dataDir, { recursive: true });
    }
    const draw = random(SEED);
    const table = new Map<string, Map<End, number>>();
    const tries = Array.from({ length: FLIPS }, (_, i) => i);
    const tryNext = async (): Promise<void> => {
      for (let i = tries.shift(); i !== undefined; i = tries.shift()) {
        const after = i % 2 === 0 ? 'stopped' : 'killed';
        const dataDir = join(folder, `try-${i}`);
        cpSync(join(folder, after), dataDir, { recursive: true });
        const { file, what } = damage(dataDir, draw);
        const end = await outcome(dataDir, device as Device, csr, right, `${i} ${after} ${file}: ${what}`);
        if (end === 'no effect' && process.env.THINGKEEP_FLIPS !== undefined)
          context.diagnostic(`${i} ${after} ${file}: ${what}: ${end}`);
        const place = `${after} ${COPIES.includes(file) ? 'copies' : file.split('/')[0]}`;
        const ends = table.get(place) ?? new Map<End, number>();
        ends.set(end, (ends.get(end) ?? 0) + 1);
        table.set(place, ends);
        rmSync(dataDir, { recursive: true });
      }
    };
    await Promise.all([tryNext(), tryNext()]);
    for (const [place, ends] of [...table].sort()) context.diagnostic(`${place}: ${JSON.stringify(Object.fromEntries(ends))}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
