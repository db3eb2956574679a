/**
 * The pool with real sandboxes, and a failure in each step of starting, watching, ending and cleaning: the caller is told, the
 * other steps are done, the next event is served, and nothing is left that nobody catches.
 */
// needs: bubblewrap system-python3
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../runtime/clock.ts';
import { openLog } from '../../runtime/log.ts';
import { zipOfFiles } from '../code/zip.fixture.ts';
import { Cgroups, groupFolders } from './cgroups.ts';
import { ApiShare } from '../../runtime/api-share.ts';
import type { Enclosure, Enclosures, Launched } from './enclosure.ts';
import { openEnclosures } from './open.ts';
import { type Deployable, Pool } from './pool.ts';
import { pythonPlaces } from './python-places.ts';
import type { InvocationResult } from './sandbox.ts';

/** What is thrown in the place of a failure. */
class Injected extends Error {
  override readonly name = 'Injected';
}

const uncaught: unknown[] = [];
const catches = (error: unknown): void => void uncaught.push(error);
before(() => {
  process.on('unhandledRejection', catches);
  process.on('uncaughtException', catches);
});
after(() => {
  process.off('unhandledRejection', catches);
  process.off('uncaughtException', catches);
});

interface Bench extends AsyncDisposable {
  readonly pool: Pool;
  readonly told: string[];
  readonly enclosures: Enclosures;
  readonly folder: string;
  readonly invoke: (name?: string) => Promise<InvocationResult>;
}

interface Failing {
  /** Name of a step of cleaning up. */
  readonly step?: string;
  readonly prepare?: boolean;
  readonly enclosure?: (enclosure: Enclosure) => Enclosure;
  readonly beforeLaunch?: () => void;
  readonly launched?: (launched: Launched) => Launched;
  readonly code?: () => never;
}

let failing: Failing = {};

async function bench(allowUnconfined = false): Promise<Bench> {
  const note = mkdtempSync(join(tmpdir(), 'thingkeep-test-'));
  const told: string[] = [];
  const log = openLog('info', { write: (line: string) => void told.push(line) });
  const api = createServer().listen(0, '127.0.0.1');
  await once(api, 'listening');
  const { directory, enclosures } = openEnclosures({
    log,
    note: join(note, 'sandbox'),
    cgroups: Cgroups.open(),
    network: 'api',
    allowUnconfined,
    python: '',
    endpointUrl: () => 'http://127.0.0.1:4680',
    apiAddress: () => ({ host: '127.0.0.1', port: 4680 }),
    apiShare: new ApiShare(100),
  });
  const spoilt: Enclosures = {
    runtimeApi: enclosures.runtimeApi,
    fault: (kind) => enclosures.fault(kind),
    close: () => enclosures.close(),
    async prepare(needs) {
      const made = await enclosures.prepare(needs);
      if (failing.prepare === true) throw new Injected('prepare');
      const enclosure = failing.enclosure?.(made) ?? made;
      const launch = (starting: Parameters<Enclosure['launch']>[0]): Launched => {
        failing.beforeLaunch?.();
        const launched = enclosure.launch(starting);
        return failing.launched?.(launched) ?? launched;
      };
      return { ...enclosure, launch };
    },
  };
  const zip = zipOfFiles({ 'index.py': 'def handler(event, context):\n    print("says")\n    return 1\n' });
  const pool = new Pool({
    clock: systemClock,
    directory,
    enclosures: spoilt,
    log,
    most: 4,
    writeLog: () => undefined,
    credentials: async () => undefined,
    code: async () => failing.code?.() ?? zip,
    beforeStep: (step) => {
      if (failing.step === step) throw new Injected(step);
    },
  });
  let count = 0;
  const of = (name: string): Deployable => ({
    accountId: '1',
    region: 'r',
    name,
    version: '$LATEST',
    runtime: 'python3.12',
    handler: 'index.handler',
    role: '',
    timeout: 5,
    memorySize: 128,
    codeSha256: name,
    variables: {},
    logGroup: '/aws/lambda/f',
    revision: name,
  });
  return {
    pool,
    told,
    enclosures,
    folder: directory.folder,
    invoke: (name = `f${++count}`) => pool.invoke(of(name), { requestId: 'a', payload: Buffer.from('{}'), functionArn: 'arn' }),
    async [Symbol.asyncDispose]() {
      failing = {};
      await pool.close();
      await directory.close();
      api.close();
      rmSync(note, { recursive: true });
    },
  };
}

/** Control groups of this process. */
function ownGroups(): string[] {
  const { v2, v1 } = groupFolders(readFileSync('/proc/self/cgroup', 'utf8'), readFileSync('/proc/self/mountinfo', 'utf8'));
  return [v2?.replace(/\/thingkeep-server$/, ''), ...Object.values(v1)].flatMap((folder) => {
    const names = folder === undefined || !existsSync(folder) ? [] : readdirSync(folder);
    return names.filter((name) => name.startsWith(`thingkeep-function-${process.pid}-`)).map((name) => `${folder}/${name}`);
  });
}

const answer = ({ payload, failed }: InvocationResult): string => (failed ? 'failed' : Buffer.from(payload).toString());
const fails = (): never => {
  throw new Injected('here');
};

describe('a failure', () => {
  for (const step of ['log', 'runtime session', 'control group', 'doors', 'code'])
    test(`while cleaning up: ${step}`, async () => {
      await using it = await bench();
      failing = { step };
      assert.equal(answer(await it.invoke('one')), '1');
      it.pool.retire({ accountId: '1', region: 'r', name: 'one' });
      failing = step === 'log' ? failing : { step };
      assert.equal(answer(await it.invoke('two')), '1', 'the next event is served');
      it.pool.retire({ accountId: '1', region: 'r', name: 'two' });
      await it.pool.close();
      assert.ok(it.told.some((line) => line.includes('Injected')) || (step === 'control group' && Cgroups.open() === undefined));
      // The other steps are done: of the folders, only those of the step that failed are left.
      const left = readdirSync(it.folder).filter((name) => /^(code|r)-/.test(name));
      assert.equal(left.length, ['doors', 'code'].includes(step) ? 2 : 0, left.join(' '));
    });

  const starts: Readonly<Record<string, Failing>> = {
    'code can not be read': { code: fails },
    'what it is started in can not be made': { prepare: true },
    'it can not be let in': { enclosure: (made) => ({ ...made, admit: async () => fails() }) },
    'it can not be started': { enclosure: (made) => ({ ...made, launch: fails }) },
  };
  for (const [name, how] of Object.entries(starts))
    test(`while starting: ${name}`, async () => {
      await using it = await bench();
      failing = how;
      await assert.rejects(it.invoke(), Injected);
      failing = {};
      assert.equal(answer(await it.invoke()), '1');
      const left = readdirSync(it.folder).filter((entry) => /^(code|r)-/.test(entry));
      assert.equal(left.length, 2, 'of the one that runs');
    });

  const ends: Readonly<Record<string, Failing['launched']>> = {
    look: (launched) => ({ ...launched, look: fails }),
    'memory at the end': (launched) => ({ ...launched, isOverMemory: fails }),
    end: (launched) => ({ ...launched, end: async () => fails() }),
    kill: (launched) => ({
      ...launched,
      kill() {
        launched.kill();
        fails();
      },
    }),
  };
  for (const [name, launched] of Object.entries(ends))
    test(`while ending: ${name}`, async () => {
      await using it = await bench();
      failing = { launched: launched ?? fails };
      await it.invoke('one').catch(() => undefined);
      it.pool.retire({ accountId: '1', region: 'r', name: 'one' });
      failing = {};
      assert.equal(answer(await it.invoke('two')), '1');
      await it.pool.close();
      assert.ok(it.told.some((line) => line.includes('Injected')));
    });

  test('a program that is not there', async () => {
    await using it = await bench();
    failing = { enclosure: (made) => ({ ...made, starting: () => ({ command: ['/nowhere'], environment: {} }) }) };
    assert.equal(answer(await it.invoke('one')), 'failed');
    failing = {};
    assert.equal(answer(await it.invoke('two')), '1');
  });
});

describe('without files left for pipes', () => {
  const limit = (soft: string): void => {
    const { status } = spawnSync('prlimit', ['--pid', `${process.pid}`, `--nofile=${soft}:`]);
    assert.equal(status, 0);
  };
  const shown = spawnSync('prlimit', ['--pid', `${process.pid}`, '--nofile', '--noheadings', '--raw', '--output', 'SOFT']);
  const held: number[] = [];
  const fill = (): void => {
    try {
      for (;;) held.push(openSync('/dev/null', 'r'));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EMFILE');
    }
  };
  const empty = (): void => {
    for (const file of held.splice(0)) closeSync(file);
  };
  /** A turn in which the error of a spawn is told. */
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  before(() => limit('256'));
  after(() => {
    empty();
    limit(shown.stdout.toString().trim());
  });

  for (const allowUnconfined of [false, true])
    test(`a function fails that is started ${allowUnconfined ? 'with all rights' : 'in a sandbox'}, and leaves nothing`, async () => {
      await using it = await bench(allowUnconfined);
      assert.equal(answer(await it.invoke('one')), '1');
      const groups = ownGroups();
      const left = readdirSync(it.folder);
      failing = {
        beforeLaunch() {
          fill();
          // Others give theirs back in the meantime: a folder can't be removed before.
          setTimeout(empty, 100);
        },
      };
      const started = it.invoke('two');
      await assert.rejects(started, /no process can be started: the server has no files left/).finally(empty);
      failing = {};
      await turn();
      assert.deepEqual(readdirSync(it.folder), left);
      assert.deepEqual(ownGroups(), groups);
      assert.deepEqual(it.told, [], 'no step of cleaning up failed');
      assert.deepEqual(uncaught, []);
      assert.equal(answer(await it.invoke('two')), '1');
    });

  test('the runtime API has no port, and has one later', async () => {
    await using it = await bench(true);
    const { runtimeApi } = it.enclosures;
    fill();
    await assert.rejects(runtimeApi.port(), /EMFILE/).finally(empty);
    assert.ok((await runtimeApi.port()) > 0);
  });

  test('a sandbox that is tried is none, and is one later', async () => {
    await using it = await bench();
    assert.equal(answer(await it.invoke('one')), '1');
    fill();
    const fault = await it.enclosures.fault('python').finally(empty);
    await turn();
    assert.match(fault ?? '', /no sandbox can be made \(EMFILE\)/);
    assert.deepEqual(uncaught, []);
    assert.equal(await it.enclosures.fault('python'), undefined);
  });

  test('where a Python has its folders is not answered', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'thingkeep-test-'));
    const program = join(folder, 'python3');
    symlinkSync('/usr/bin/python3', program);
    fill();
    await assert.rejects(pythonPlaces(program, undefined)).finally(empty);
    await turn();
    assert.deepEqual(uncaught, []);
    assert.ok((await pythonPlaces(program, undefined)).length > 0);
    rmSync(folder, { recursive: true });
  });
});

test('a program is not started in a folder that is gone, and nothing else is ended by that', async () => {
  await using it = await bench(true);
  failing = {
    beforeLaunch() {
      for (const name of readdirSync(it.folder).filter((entry) => entry.startsWith('code-')))
        rmSync(join(it.folder, name), { recursive: true });
    },
  };
  const { payload, failed } = await it.invoke('one');
  assert.ok(failed);
  assert.match(Buffer.from(payload).toString(), /it could not be started \(ENOENT\)/);
  failing = {};
  assert.equal(answer(await it.invoke('two')), '1');
});

test('nothing was left that nobody caught', () => assert.deepEqual(uncaught, []));
