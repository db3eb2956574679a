/** A tray of 1,000 virtual boards, killed twice in the middle: 1,000 distinct devices, each with the certificate for its key. */
// suite: long
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, rmSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { IoTClient, ListCertificatesCommand, ListThingPrincipalsCommand, ListThingsCommand } from '@aws-sdk/client-iot';
import { virtualBus } from '../../packages/kit/src/buses/virtual-bus.ts';
import { AteccElement } from '../../packages/kit/src/elements/atecc/atecc-element.ts';
import { configurationOn, writeConfiguration } from '../../packages/kit/src/elements/atecc/configurations.ts';
import { readElementCertificates } from '../../packages/kit/src/certificates/element-certificates.ts';
import { openElement } from '../../packages/kit/src/open-element.ts';
import { readJournal } from '../../packages/kit/src/provisioning/journal.ts';
import { type AteccState, newAteccState } from '../../packages/kit/src/virtual-chips/atecc/silicon.ts';
import { VirtualAtecc } from '../../packages/kit/src/virtual-chips/atecc/virtual-atecc.ts';
import { memoryFile, memoryOnly } from '../../packages/kit/src/virtual-chips/memory-file.ts';
import { certificateIdOf, parseCertificate } from '../../packages/x509/src/certificate.ts';
import { run, succeed } from './run-command.ts';
import { startServer, temporaryFolder } from './test-core.ts';

const BOARDS = 1000;
const MAIN = fileURLToPath(new URL('../../packages/kit/src/main.ts', import.meta.url));
const folder = temporaryFolder();
after(() => rmSync(folder, { recursive: true }));
const at = (...names: string[]): string => join(folder, ...names);

/** A chip as a board of the Zero Touch kit has it: configured and locked, without a key. */
async function makeBoard(path: string): Promise<void> {
  const memory = memoryOnly<AteccState>();
  memory.save(newAteccState('atecc608'));
  await using element = new AteccElement(virtualBus(new VirtualAtecc(memory)), 'atecc608');
  await element.exclusively(async ({ link, zones, locks }) => {
    await writeConfiguration(link, zones, configurationOn('zero-touch', await zones.readConfig()));
    await locks.lockConfig('for-good');
    await locks.lockData('for-good');
  });
  const state = memory.load();
  assert.ok(state !== undefined);
  memoryFile<AteccState>(path).save(state);
}

const doneIn = (path: string): number => [...readJournal(path).states.values()].filter(({ phase }) => phase === 'done').length;

/** Waits until a journal, which grows, has so many boards that are done; ends early with the signal. */
async function untilDone(path: string, enough: number, signal: AbortSignal): Promise<void> {
  let [offset, count] = [0, 0];
  const file = openSync(path, 'a+');
  try {
    const look = (): boolean => {
      const bytes = Buffer.alloc(fstatSync(file).size - offset);
      readSync(file, bytes, 0, bytes.length, offset);
      const whole = bytes.lastIndexOf('\n') + 1;
      offset += whole;
      count += bytes.subarray(0, whole).toString('latin1').split('"phase":"done"').length - 1;
      return count >= enough;
    };
    if (look()) return;
    for await (const _ of watch(path, { signal })) if (look()) return;
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
  } finally {
    closeSync(file);
  }
}

test('1,000 boards, two kills', { timeout: 400_000 }, async (t) => {
  await using server = await startServer();
  const env = { ...server.env, HOME: folder };
  for (const name of ['chips', 'tray']) mkdirSync(at(name));
  for (let n = 1; n <= BOARDS; n += 1) await makeBoard(at('chips', `${n}.json`));
  const thingkit = (...args: string[]) => succeed(process.execPath, [MAIN, ...args], { env, cwd: folder });
  await thingkit('ca', 'root', '--folder', 'ca', '--template', 'zero-touch');
  await thingkit('ca', 'signer-csr', '--folder', 'ca');
  await thingkit('ca', 'signer', '--folder', 'ca', '--template', 'zero-touch');
  await thingkit('ca', 'register', '--folder', 'ca');
  const provision = [
    ...['provision', '--element', 'atecc608:virtual:chips/{n}.json?address=0x58', '--count', String(BOARDS), '--json'],
    ...['--signer', 'file:ca/signer-ca.key', '--signer-certificate', 'ca/signer-ca.crt', '--root-certificate', 'ca/root-ca.crt'],
    ...[
      '--template',
      'zero-touch',
      '--subject',
      '/O=Example Inc/CN=Example Device',
      '--host-name',
      'localhost',
      '--folder',
      'tray',
    ],
  ];

  for (const enough of [BOARDS / 4, BOARDS / 2]) {
    const child = spawn(process.execPath, [MAIN, ...provision], { env, cwd: folder, stdio: 'ignore' });
    const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
    const ending = new AbortController();
    void ended.then(() => ending.abort());
    await untilDone(at('tray', 'journal.jsonl'), enough, ending.signal);
    child.kill('SIGKILL');
    assert.deepEqual(await ended, [null, 'SIGKILL']);
  }
  const before = doneIn(at('tray', 'journal.jsonl'));
  assert.ok(before >= BOARDS / 2 && before < BOARDS, String(before));
  const last = await run(process.execPath, [MAIN, ...provision], { env, cwd: folder, deadline: 300_000 });
  assert.equal(last.code, 0, last.stderr + last.stdout.slice(0, 2000));
  const { done, failed, left, phases } = JSON.parse(last.stdout);
  assert.deepEqual([done.length, failed.length, left], [BOARDS, 0, 0]);
  t.diagnostic(
    `milliseconds a board, median: ${phases.map((each: { phase: string; median: number }) => `${each.phase} ${each.median}`).join(', ')}`,
  );

  const client = new IoTClient({ endpoint: server.url, region: 'us-east-1', credentials: server.credentials() });
  const things: string[] = [];
  for (let nextToken: string | undefined, page = 0; page === 0 || nextToken !== undefined; page += 1) {
    const answer = await client.send(new ListThingsCommand({ maxResults: 250, nextToken }));
    things.push(...(answer.things ?? []).map(({ thingName = '' }) => thingName));
    nextToken = answer.nextToken;
  }
  const certificates: string[] = [];
  for (let marker: string | undefined, page = 0; page === 0 || marker !== undefined; page += 1) {
    const answer = await client.send(new ListCertificatesCommand({ pageSize: 250, marker }));
    certificates.push(...(answer.certificates ?? []).map(({ certificateId = '' }) => certificateId));
    marker = answer.nextMarker;
  }
  assert.equal(new Set(things).size, BOARDS);
  assert.equal(new Set(certificates).size, BOARDS);

  // Every chip holds the certificate that is registered, for the key that it has.
  const states = readJournal(at('tray', 'journal.jsonl')).states;
  assert.equal(readdirSync(at('chips')).filter((name) => name.endsWith('.json')).length, BOARDS);
  for (let n = 1; n <= BOARDS; n += 37) {
    await using element = await openElement(`atecc608:virtual:${at('chips', `${n}.json`)}?address=0x58`);
    const { device } = await readElementCertificates(element);
    const state = states.get(String(n));
    assert.equal(certificateIdOf(device), state?.certificateId);
    assert.deepEqual(parseCertificate(device).publicKey, await element.publicKey('0'));
    const { principals = [] } = await client.send(new ListThingPrincipalsCommand({ thingName: state?.thingName ?? '' }));
    assert.deepEqual(
      principals.map((arn) => arn.split('/')[1]),
      [state?.certificateId],
    );
  }
  client.destroy();

  // No private key of a chip is in anything that the kit wrote or printed.
  const seen = [
    last.stdout,
    last.stderr,
    ...['journal.jsonl', 'manifest.json'].map((name) => readFileSync(at('tray', name), 'latin1')),
  ].join('\n');
  for (let n = 1; n <= BOARDS; n += 1) {
    const { slots } = JSON.parse(readFileSync(at('chips', `${n}.json`), 'utf8')) as AteccState;
    const secret = Buffer.from((slots[0] ?? '').slice(-64), 'hex');
    for (const form of ['hex', 'base64', 'base64url'] as const)
      assert.equal(seen.toLowerCase().includes(secret.toString(form).toLowerCase()), false);
  }
});
