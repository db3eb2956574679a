/** The commands from a new virtual chip to a signature, as a user types them. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createPublicKey, verify, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { goldenFile, goldenValue } from '../elements/atecc/testing/golden-packets.ts';

const folder = mkdtempSync(join(tmpdir(), 'thingkit-test-'));
after(() => rmSync(folder, { recursive: true }));
const LAUNCH = fileURLToPath(new URL('../launch.mjs', import.meta.url));
const at = (name: string): string => join(folder, name);
const chip = at('chip.json');

interface Done {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command; THINGKIT_ELEMENT names the chip. */
const run = (line: string, element = `atecc608:virtual:${chip}?address=0x58`): Done =>
  spawnSync(process.execPath, [LAUNCH, ...line.split(' ')], {
    encoding: 'utf8',
    env: { ...process.env, THINGKIT_ELEMENT: element },
    timeout: 60_000,
  });

function ok(line: string, element?: string): string {
  const { status, stdout, stderr } = run(line, element);
  assert.equal(status, 0, `${line}: ${stderr}`);
  return stdout;
}

test('from a new chip to a signature', () => {
  const first = `atecc608:virtual:${chip}`;
  ok(`chip new --kind atecc608 --state ${chip} --dry-run`);
  assert.equal(existsSync(chip), false);
  assert.match(ok(`chip new --kind atecc608 --state ${chip} --serial 0123456789ABCDEFEE`), /made an atecc608/);
  assert.equal(statSync(chip).mode & 0o777, 0o600);
  assert.equal(run(`chip new --kind atecc608 --state ${chip}`).status, 3);
  assert.equal(run(`chip new --kind atecc608 --state ${at('x.json')} --serial 00`).status, 3);

  assert.match(ok('element show', first), /serial number {2}0123456789abcdefee\n[\s\S]*ready for keys no/);
  assert.match(ok('atecc config --write zero-touch --dry-run', first), /would write/);
  assert.match(ok('atecc config', first), /none of the known ones/);
  assert.match(ok('atecc config --write zero-touch', first), /\?address=0x58/);
  assert.match(ok('atecc config'), /zero-touch\naddress {8}0x58[\s\S]*slot {2}0 {8}private key, made anew by GenKey, signs/);

  assert.match(
    ok('atecc lock --zone config --expect zero-touch --dry-run'),
    /would lock the config zone of chip 0123456789abcdefee/,
  );
  const unconfirmed = run('atecc lock --zone config');
  assert.deepEqual([unconfirmed.status, /--confirm is missing/.test(unconfirmed.stderr)], [2, true]);
  assert.equal(run('atecc lock --zone config --expect arduino --confirm').status, 5);
  assert.equal(run('atecc lock --zone data --confirm').status, 3);
  assert.match(ok('atecc lock --zone config --expect zero-touch --confirm'), /^locked the config zone/);
  assert.match(ok('atecc lock --zone data --confirm'), /^locked/);
  assert.match(ok('atecc lock --zone data --confirm'), /locked already/);
  assert.equal(run('atecc lock --zone slot --confirm').status, 2);

  assert.equal(run('element sign --in x --digest 00').status, 2);
  const pem = ok('element generate-key --key 0');
  assert.equal(ok('element public-key'), pem);
  writeFileSync(at('message'), 'message');
  ok(`element sign --in ${at('message')} --out ${at('signature')}`);
  assert.equal(verify('sha256', Buffer.from('message'), createPublicKey(pem), readFileSync(at('signature'))), true);
  const raw = JSON.parse(ok(`element sign --in ${at('message')} --form raw --json`)) as { hex: string };
  assert.equal(raw.hex.length, 128);
  assert.match(ok('csr --subject /O=Example/CN=device-1'), /BEGIN CERTIFICATE REQUEST/);
  assert.equal(ok('element random --length 16').trim().length, 32);

  ok('element write --object 13 --hex c0ffee --dry-run');
  assert.match(ok('element read --object 13'), /^(00|ff)+\n$/);
  assert.match(ok('element write --object 13 --hex c0ffee'), /read them back/);
  assert.match(ok('element read --object 13'), /^c0ffee0+\n$/);
  assert.equal(run('element read --object 7').status, 3);
  assert.match(ok('atecc lock --zone slot --slot 13 --confirm'), /^locked slot 13/);
  assert.equal(run('element write --object 13 --hex 00').status, 3);

  const wrongKind = JSON.parse(run('element show --json', `atecc508a:virtual:${chip}?address=0x58`).stdout) as {
    error: { code: string; hint: string };
  };
  assert.deepEqual([wrongKind.error.code, wrongKind.error.hint], ['invalid', 'use atecc608: instead of atecc508a:']);
  assert.equal(run('atecc config', `file:${at('device.key')}`).status, 2);
});

test('certificates are compressed and rebuilt', () => {
  for (const name of ['signer.der', 'device.der', 'root-ca.crt', 'signer-ca.crt', 'device.crt'])
    writeFileSync(at(name), goldenFile(name));
  const made = JSON.parse(ok(`cert compress --definition zero-touch-signer --in ${at('signer-ca.crt')} --json`)) as {
    hex: string;
    stored: string;
  };
  assert.equal(made.hex, goldenValue('atecc608', 'compcert /tmp/calb/signer.der').toString('hex'));
  const signer = `--definition zero-touch-signer --compressed ${made.hex} --stored ${made.stored} --public-key ${at('signer.der')}`;
  const pem = ok(`cert rebuild ${signer} --issuer ${at('root-ca.crt')}`);
  assert.deepEqual(new X509Certificate(pem).raw, goldenFile('signer.der'));
  assert.equal(run(`cert rebuild ${signer} --issuer ${at('signer.der')}`).status, 5);
  assert.equal(run(`cert rebuild ${signer}`).status, 2);

  ok(`cert compress --definition zero-touch-device --in ${at('device.der')} --out ${at('device.comp')}`);
  const compressed = readFileSync(at('device.comp'), 'hex');
  const keys = `--public-key ${at('device.crt')} --issuer ${at('signer-ca.crt')}`;
  ok(`cert rebuild --definition zero-touch-device --compressed ${compressed} ${keys} --form der --out ${at('rebuilt.der')}`);
  assert.deepEqual(readFileSync(at('rebuilt.der')), goldenFile('device.der'));
  assert.equal(run(`cert compress --definition zero-touch-device --in ${at('signer.der')}`).status, 3);
  // The chip has none of its own yet.
  assert.equal(run('cert rebuild --definition zero-touch-device').status, 3);
});

test('a chip behind a socket answers drivers of other processes, until it is interrupted', async () => {
  const [state, socket] = [at('served.json'), at('chip.sock')];
  ok(`chip new --kind atecc508a --state ${state}`);
  assert.equal(run(`chip serve --kind atecc608 --state ${state} --socket ${socket}`).status, 2);
  const args = ['chip', 'serve', '--kind', 'atecc508a', '--state', state, '--socket', socket];
  const server = spawn(process.execPath, [LAUNCH, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  try {
    await once(server.stderr, 'data');
    assert.equal(statSync(socket).mode & 0o777, 0o600);
    const uri = `atecc508a:socket:${socket}`;
    ok('atecc config --write arduino', uri);
    ok('atecc lock --zone config --expect arduino --confirm', uri);
    ok('atecc lock --zone data --confirm', uri);
    const pem = ok('element generate-key', uri);
    assert.equal(ok('element public-key', uri), pem);
    assert.equal(run(`chip serve --kind atecc508a --state ${state} --socket ${socket}`).status, 2);
  } finally {
    server.kill('SIGTERM');
    const [code] = (await once(server, 'exit')) as [number | null];
    assert.equal(code, 0);
  }
  assert.equal(existsSync(socket), false);
});
