/**
 * Backups: taken from a running server under writes and from a stopped one, restored, and started; damaged ones, and
 * folders that are not empty, are refused.
 */
// suite: long
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CreateThingCommand, DescribeThingCommand } from '@aws-sdk/client-iot';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { signRequest } from '../../packages/server/src/api/sign-request.ts';
import { TestFunctions } from './functions.ts';
import { startServer, temporaryFolder, type TestServer, thingkeep } from './test-core.ts';
import { thingsOf } from './things-of.ts';
import { until } from './until.ts';

const work = temporaryFolder();
after(() => rmSync(work, { recursive: true, force: true }));
const at = (name: string): string => join(work, name);
const dataDir = at('data');
const backup = at('backup');

const TRUST = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
});

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(folder, name)).isFile());

const restoreTo = (name: string, from = backup) => thingkeep(['restore', from, '--data-dir', at(name)]);

/** Makes things until it is stopped; gives the numbers of those that were acknowledged so far. */
function writeThings(server: TestServer): { acknowledged: () => number; stop: () => Promise<void> } {
  let acknowledged = 0;
  let stopped = false;
  const done = (async () => {
    while (!stopped) {
      await server.iot.send(new CreateThingCommand({ thingName: `thing-${acknowledged}` }));
      acknowledged += 1;
    }
  })();
  return {
    acknowledged: () => acknowledged,
    stop: async () => {
      stopped = true;
      await done;
    },
  };
}

before(async () => {
  await using server = await startServer({ dataDir, args: ['--allow-unconfined-functions'] });
  const iam = new IAMClient({ endpoint: server.url, region: 'us-east-1', credentials: server.credentials() });
  await iam.send(new CreateRoleCommand({ RoleName: 'functions', AssumeRolePolicyDocument: TRUST }));
  iam.destroy();
  using functions = new TestFunctions(server);
  await functions.node('lamp', 'export const handler = async () => "ran";\n');
  const writer = writeThings(server);
  while (writer.acknowledged() < 20)
    await server.iot.send(new DescribeThingCommand({ thingName: 'thing-0' })).catch(() => undefined);
  const acknowledged = writer.acknowledged();
  const { code, stdout, stderr } = await thingkeep(['backup', backup, '--data-dir', dataDir]);
  await writer.stop();
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^backup of installation [0-9a-f-]{36}: \d+ files, \d+ bytes in /);
  writeFileSync(at('acknowledged'), String(acknowledged));
  // A second one, of a server that has written on, has the rest.
  const again = await thingkeep(['backup', at('second'), '--data-dir', dataDir]);
  assert.equal(again.code, 0, again.stderr);
});

test('everything that was acknowledged before the backup is in it, for the owner alone, and the restored server serves', async () => {
  for (const name of ['', ...readdirSync(backup, { recursive: true, encoding: 'utf8' })]) {
    const { mode } = statSync(join(backup, name));
    assert.equal(mode & 0o777, statSync(join(backup, name)).isDirectory() ? 0o700 : 0o600, name);
  }
  assert(!existsSync(join(backup, 'backup-incomplete')) && !existsSync(join(backup, 'thingkeep.db-wal')));
  const restored = await restoreTo('restored');
  assert.equal(restored.code, 0, restored.stderr);
  await using server = await startServer({ dataDir: at('restored'), args: ['--allow-unconfined-functions'] });
  const acknowledged = Number(readFileSync(at('acknowledged'), 'utf8'));
  assert(acknowledged >= 20);
  for (let i = 0; i < acknowledged; i += 1) await server.iot.send(new DescribeThingCommand({ thingName: `thing-${i}` }));
  using functions = new TestFunctions(server);
  assert.equal((await functions.invoke('lamp')).answer, 'ran');
  for (const file of ['root-keys.json', 'ca/device-issuer.pem', 'ca/installation.json', 'credentials', 'audit/key'])
    assert.deepEqual(readFileSync(join(at('restored'), file)), readFileSync(join(dataDir, file)), file);
  const audit = await thingkeep(['audit', 'verify', '--data-dir', at('restored')]);
  assert.match(audit.stdout, /^whole: /, audit.stdout + audit.stderr);
});

test('a backup of a stopped server, and one of a server that was killed, are as good', async () => {
  const stopped = at('stopped');
  cpSync(dataDir, stopped, { recursive: true });
  const names = await thingsOf(stopped);
  for (const killed of [false, true]) {
    if (killed) {
      const server = await startServer({ dataDir: stopped });
      await server.iot.send(new CreateThingCommand({ thingName: 'last' }));
      await server.signal('SIGKILL');
      names.push('last');
    }
    const target = at(`offline-${killed}`);
    const { code, stderr } = await thingkeep(['backup', target, '--data-dir', stopped]);
    assert.equal(code, 0, stderr);
    assert.equal((await restoreTo(`offline-restored-${killed}`, target)).code, 0);
    assert.deepEqual((await thingsOf(at(`offline-restored-${killed}`))).sort(), names.sort());
  }
});

test('one flipped bit in any file of a backup, a missing file and a strange one are refused before anything is made', async () => {
  const damaged = at('damaged');
  cpSync(backup, damaged, { recursive: true });
  const refused = async (words: string): Promise<void> => {
    const { code, stderr } = await restoreTo('never', damaged);
    assert.equal(code, 2, stderr);
    assert.equal(stderr.trim().split('\n').length, 1);
    assert(stderr.includes(words), stderr);
    assert(!existsSync(at('never')));
  };
  for (const file of filesBelow(damaged)) {
    const path = join(damaged, file);
    const whole = readFileSync(path);
    if (whole.length > 0) {
      const bytes = Buffer.from(whole);
      const middle = bytes.length >> 1;
      bytes[middle] = (bytes[middle] ?? 0) ^ 16;
      writeFileSync(path, bytes);
      await refused(file);
    }
    rmSync(path);
    await refused(file === 'backup.json' ? 'it has no backup.json' : file);
    writeFileSync(path, whole);
  }
  writeFileSync(join(damaged, 'thingkeep.db-wal'), 'newer', { mode: 0o600 });
  await refused('thingkeep.db-wal');
  rmSync(join(damaged, 'thingkeep.db-wal'));
  renameSync(join(damaged, 'credentials'), join(work, 'aside'));
  symlinkSync(join(work, 'aside'), join(damaged, 'credentials'));
  await refused('credentials');
  rmSync(join(damaged, 'credentials'));
  renameSync(join(work, 'aside'), join(damaged, 'credentials'));
  chmodSync(join(damaged, 'root-keys.json'), 0o666);
  await refused('root-keys.json');
  chmodSync(join(damaged, 'root-keys.json'), 0o600);
  writeFileSync(join(damaged, 'backup-incomplete'), '');
  rmSync(join(damaged, 'backup.json'));
  await refused('was not finished');
});

test('a folder that is not empty is not restored into, and no server starts in a backup or half a folder', async () => {
  for (const leftover of ['thingkeep.db-wal', 'ca']) {
    const folder = at(`leftover-${leftover}`);
    mkdirSync(join(folder, leftover), { recursive: true });
    const { code, stderr } = await restoreTo(`leftover-${leftover}`);
    assert.equal(code, 2);
    assert(stderr.includes(`is not empty (${leftover})`), stderr);
  }
  for (const [folder, words] of [
    [join(backup, 'in', 'it'), /there is no folder/],
    [join(backup, 'in-it'), /would be in the backup/],
  ] as const) {
    const { code, stderr } = await thingkeep(['restore', backup, '--data-dir', folder]);
    assert.deepEqual([code, stderr.trim().split('\n').length, words.test(stderr)], [2, 1, true], stderr);
    assert.equal(existsSync(folder), false);
  }
  mkdirSync(at('empty'));
  assert.equal((await restoreTo('empty')).code, 0);
  for (const [folder, words] of [
    [backup, /is a backup, no data folder/],
    [at('empty'), /was not restored to the end/],
  ] as const) {
    if (folder === at('empty')) writeFileSync(join(folder, 'restore-incomplete'), '');
    const { code, stderr } = await thingkeep(['start', '--data-dir', folder, '--log-level', 'silent']);
    assert.equal(code, 2);
    assert.match(stderr, words);
  }
});

test('the server writes into a folder that its asker has made for itself, and nowhere else', async () => {
  await using server = await startServer();
  const key = server.credentials();
  const post = async (path: string, note: string): Promise<string> => {
    const url = new URL(`/admin/backup?${new URLSearchParams({ path, note })}`, server.url);
    const headers = signRequest({ method: 'POST', url, region: 'us-east-1', service: 'thingkeep', now: Date.now(), key });
    const response = await fetch(url, { method: 'POST', headers });
    assert.equal(response.status, 400);
    return ((await response.json()) as { message: string }).message;
  };
  const note = 'a'.repeat(64);
  const folderWith = (name: string, content: string): string => {
    mkdirSync(at(name), { mode: 0o700 });
    writeFileSync(join(at(name), 'backup-incomplete'), content, { mode: 0o600 });
    return at(name);
  };
  assert.match(await post(at('nowhere'), note), /is not there/);
  assert(!existsSync(at('nowhere')));
  assert.match(await post('relative', note), /missing/);
  assert.match(await post(folderWith('other-note', 'b'.repeat(64)), note), /was not made by the command/);
  const more = folderWith('more', note);
  writeFileSync(join(more, 'else'), '');
  assert.match(await post(more, note), /was not made by the command/);
  const open = folderWith('open', note);
  chmodSync(open, 0o755);
  assert.match(await post(open, note), /may be used by others/);
  symlinkSync(folderWith('real', note), at('link'));
  assert.match(await post(at('link'), note), /is not a folder/);
  mkdirSync(at('above'));
  renameSync(at('real'), join(at('above'), 'real'));
  symlinkSync(at('above'), at('link-above'));
  assert.match(await post(join(at('link-above'), 'real'), note), /behind a link/);
  const inside = join(server.dataDir, 'ca', 'backup');
  mkdirSync(inside, { mode: 0o700 });
  writeFileSync(join(inside, 'backup-incomplete'), note, { mode: 0o600 });
  assert.match(await post(inside, note), /is in the data folder/);
  const full = await thingkeep(['backup', more, '--data-dir', server.dataDir]);
  assert.equal(full.code, 2);
  assert.match(full.stderr, /is not empty/);
});

test('a server that is killed while it writes a backup loses nothing, and what is left of the backup is refused', async () => {
  const folder = at('killed');
  cpSync(at('stopped'), folder, { recursive: true });
  const server = await startServer({ dataDir: folder });
  await server.iot.send(new CreateThingCommand({ thingName: 'kept' }));
  const asked = thingkeep(['backup', at('cut-off'), '--data-dir', folder]);
  await until('the backup has begun', () => existsSync(join(at('cut-off'), 'thingkeep.db')) || undefined);
  await server.signal('SIGKILL');
  const { code } = await asked;
  const isWhole = existsSync(join(at('cut-off'), 'backup.json'));
  if (!isWhole) {
    assert.notEqual(code, 0);
    const refused = await restoreTo('of-cut-off', at('cut-off'));
    assert.match(refused.stderr, /was not finished/);
    const started = await thingkeep(['start', '--data-dir', at('cut-off')]);
    assert.match(started.stderr, /is a backup, no data folder/);
  }
  assert((await thingsOf(folder)).includes('kept'));
});

test('root asks the server of another user, and restores for that user', { skip: process.getuid?.() !== 0 }, async () => {
  const USER = 65_534;
  chmodSync(work, 0o711);
  mkdirSync(at('of-user'), { mode: 0o700 });
  chownSync(at('of-user'), USER, USER);
  {
    await using server = await startServer({ dataDir: at('of-user'), user: USER });
    await server.iot.send(new CreateThingCommand({ thingName: 'lamp' }));
    const { code, stderr } = await thingkeep(['backup', at('of-root'), '--data-dir', at('of-user')]);
    assert.equal(code, 0, stderr);
  }
  const offline = await thingkeep(['backup', at('of-root-offline'), '--data-dir', at('of-user')]);
  assert.match(offline.stderr, /belongs to user 65534: run this as that user/);
  assert(!existsSync(at('of-root-offline')));
  for (const name of ['', ...readdirSync(at('of-root'), { recursive: true, encoding: 'utf8' })])
    assert.equal(statSync(join(at('of-root'), name)).uid, USER, name);
  mkdirSync(at('for-user'), { mode: 0o700 });
  chownSync(at('for-user'), USER, USER);
  const restored = await restoreTo('for-user', at('of-root'));
  assert.equal(restored.code, 0, restored.stderr);
  await using server = await startServer({ dataDir: at('for-user'), user: USER });
  await server.iot.send(new DescribeThingCommand({ thingName: 'lamp' }));
});

test('modes of what came back from elsewhere are set when it is opened', async () => {
  const folder = at('open-modes');
  cpSync(at('stopped'), folder, { recursive: true });
  for (const name of filesBelow(folder)) chmodSync(join(folder, name), 0o644);
  await using server = await startServer({ dataDir: folder });
  await server.iot.send(new CreateThingCommand({ thingName: 'one-more' }));
  for (const name of filesBelow(folder))
    assert.equal(statSync(join(folder, name)).mode & 0o777, name === 'root-ca.pem' ? 0o644 : 0o600, name);
});
