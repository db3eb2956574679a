/** The programs with the flags of Infineon's tools, and the front of openssl, run as their users run them. */
// needs: openssl
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { certificatesOf } from '../elements/optiga/certificate-object.ts';
import { openElement } from '../open-element.ts';
import { makeVirtualChip } from '../virtual-chips/kinds.ts';
import { readShortOptions } from './short-options.ts';

const folder = mkdtempSync(join(tmpdir(), 'thingkit-test-'));
after(() => rmSync(folder, { recursive: true }));

makeVirtualChip('optiga-trust-x', join(folder, 'x.json'));
makeVirtualChip('optiga-trust-m', join(folder, 'm.json'));

const FRONT = fileURLToPath(new URL('../../openssl-front', import.meta.url));
const tool = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Runs a program in the test's folder; the PATH has the node of this process first. */
function run(program: string, args: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const { THINGKIT_ELEMENT: _, ...environment } = process.env;
  const path = [dirname(process.execPath), environment.PATH].join(':');
  const env = { ...environment, PATH: path, ...more };
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, env, encoding: 'utf8' });
  return { status, stdout, stderr };
}
const generate = (...args: string[]) => run(tool('optiga-generate-csr.mjs'), args);
const upload = (...args: string[]) => run(tool('optiga-upload-crt.mjs'), args);

const CONFIG = {
  ST: 'Germany',
  C: 'DE',
  CN: 'AWS IoT Certificate',
  O: 'Infineon Technologies AG',
  OU: 'x/y',
  emailAddress: 'a@b.example',
};
writeFileSync(join(folder, 'config.jsn'), JSON.stringify(CONFIG));
writeFileSync(join(folder, 'no-cn.jsn'), '{"O":"nobody"}');
const CA = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'ca.key'];
run('openssl', ['req', ...CA, '-subj', '/CN=some certificate', '-days', '3', '-out', 'some.pem']);
run('openssl', ['x509', '-in', 'some.pem', '-outform', 'DER', '-out', 'some.der']);

describe('optiga_generate_csr', () => {
  test('makes a key and a request, with the subject in the order of the tool', async () => {
    const { status, stdout } = generate('-f', 'virtual:x.json', '-o', 'optiga.csr', '-i', 'config.jsn', '-p', '0xE0F2');
    assert.equal(status, 0);
    assert.match(
      stdout,
      /^Data read:\n\{.*\}CN=AWS IoT Certificate,O=Infineon Technologies AG,C=DE,ST=Germany,OU=x\/y,emailAddress=/,
    );
    assert.match(stdout, /\nKeypair generated\.\nPublic key is \n04[0-9A-F]{128}\n/);
    assert.match(stdout, /\nok\n$/);
    const shown = run('openssl', ['req', '-in', 'optiga.csr', '-noout', '-verify', '-text', '-nameopt', 'RFC2253,-dn_rev']);
    assert.match(shown.stderr + shown.stdout, /verify OK/);
    assert.match(
      shown.stdout,
      /CN=AWS IoT Certificate,O=Infineon Technologies AG,C=DE,ST=Germany,OU=x\/y,emailAddress=a@b\.example/,
    );
    assert.match(shown.stdout, /X509v3 Key Usage: *\n *Digital Signature\n/);
    await using element = await openElement(`optiga-trust-x:virtual:${join(folder, 'x.json')}`);
    const spki = run('openssl', ['req', '-in', 'optiga.csr', '-noout', '-pubkey']).stdout.replace(/-----.*|\n/g, '');
    assert.equal((await element.publicKey('0xE0F2')).toString('base64'), spki);
    await assert.rejects(element.publicKey('0xE0F1'));
  });

  test('says what is wrong, with the exit codes of the tool', () => {
    const chip = ['-f', 'virtual:x.json', '-o', 'bad.csr'];
    for (const [args, status, said] of [
      [['-h'], 1, /usage/],
      [[...chip, '-i', 'config.jsn', '-p', '0xE0F0'], 1, /Possible IDs/],
      [[...chip, '-i', 'no-cn.jsn'], 1, /CN not existent.*Reading JSON config file failed/s],
      [[...chip, '-i', 'absent.jsn'], 1, /Opening file failed/],
      [[...chip, '-i', 'some.pem'], 1, /Not a JSON file/],
      [[...chip, '-x', 'config.jsn'], 1, /Unknown option -x/],
      [[...chip, '-i'], 1, /-i requires an argument/],
      [['-f', 'socket:absent', '-o', 'bad.csr', '-i', 'config.jsn'], 255, /Open Application failed/],
      [['-f', 'virtual:x.json', '-o', 'absent/bad.csr', '-i', 'config.jsn'], 255, /absent/],
    ] as const) {
      const outcome = generate(...args);
      assert.equal(outcome.status, status, args.join(' '));
      assert.match(outcome.stdout + outcome.stderr, said);
    }
  });
});

describe('optiga_upload_crt', () => {
  test('writes a certificate as a TLS identity, of PEM and of DER', async () => {
    for (const [file, object] of [
      ['some.pem', '0xE0E1'],
      ['some.der', '0xE0E2'],
    ] as const) {
      const { status, stdout } = upload('-f', 'virtual:x.json', '-c', file, '-o', object);
      assert.equal(status, 0, stdout);
      assert.match(stdout, /0x000000: c0 /);
      assert.match(stdout, /Certificate successfully written/);
      await using element = await openElement(`optiga-trust-x:virtual:${join(folder, 'x.json')}`);
      const content = await element.readObject(object);
      assert.deepEqual(certificatesOf(content), [new X509Certificate(readFileSync(join(folder, 'some.pem'))).raw]);
      assert.equal(content.length, content.readUInt16BE(1) + 3);
    }
  });

  test('says what is wrong', () => {
    for (const [args, status, said] of [
      [['-c', 'some.pem'], 1, /Too few arguments/],
      [['-f', 'virtual:x.json', '-c', 'some.pem', '-o', '0xE0E0'], 1, /Possible IDs/],
      [['-f', 'virtual:x.json', '-c', 'config.jsn'], 1, /holds no certificate/],
      [['-f', 'socket:absent', '-c', 'some.pem'], 255, /Open Application failed/],
      [['-f', 'virtual:x.json', '-z', 'some.pem'], 1, /Unknown option -z/],
    ] as const) {
      const outcome = upload(...args);
      assert.equal(outcome.status, status, args.join(' '));
      assert.match(outcome.stdout + outcome.stderr, said);
    }
  });
});

describe('openssl', () => {
  const front = join(FRONT, 'openssl');
  const chip = { THINGKIT_ELEMENT: `optiga-trust-m:virtual:${join(folder, 'm.json')}` };
  const ENGINE = ['req', '-keyform', 'engine', '-engine', 'trustm_engine'];

  test('makes a request with a new key in the chip, and one more with the same key', () => {
    const out = ['-new', '-out', 'client1.csr', '-subj', '/CN=TrustM_Client1'];
    assert.deepEqual(run(front, [...ENGINE, '-key', '0xe0f1:^:NEW:0x03:0x13', ...out], chip), {
      status: 0,
      stdout: '',
      stderr: '',
    });
    const text = run(front, ['req', '-in', 'client1.csr', '-text', '-verify'], chip);
    assert.match(text.stderr + text.stdout, /verify OK/);
    assert.match(text.stdout, /Subject: CN ?= ?TrustM_Client1/);
    const key = (file: string) => run(front, ['req', '-in', file, '-noout', '-pubkey'], chip).stdout;
    const again = run(front, [...ENGINE, '-key', '0xe0f1:^', '-new', '-subj', '/CN=again'], chip);
    writeFileSync(join(folder, 'again.csr'), again.stdout);
    assert.equal(key('again.csr'), key('client1.csr'));
    assert.match(key('again.csr'), /BEGIN PUBLIC KEY/);
  });

  test('hands everything else on, with its input, output and exit code', () => {
    for (const args of [['version'], ['req', '-in', 'absent.csr'], ['no-such-command']]) {
      const [real, ours] = [run('openssl', args), run(front, args, chip)];
      assert.equal(ours.status, real.status, args.join(' '));
      assert.equal(ours.stdout, real.stdout);
    }
    // On the PATH before the real one, also by a link.
    symlinkSync(front, join(folder, 'openssl'));
    assert.match(
      run('openssl', ['version'], { PATH: `${folder}:${FRONT}:${dirname(process.execPath)}:${process.env.PATH}` }).stdout,
      /^OpenSSL/,
    );
    const alone = run(front, ['version'], { PATH: `${FRONT}:/nowhere`, THINGKIT_NODE: process.execPath });
    assert.notEqual(alone.status, 0);
  });

  test('refuses what it does not do with a key of the engine', () => {
    const subject = ['-subj', '/CN=x'];
    const KEY = ['-key', '0xe0f1:^:NEW:0x03:0x13'];
    for (const args of [
      [...ENGINE, ...KEY, '-new'],
      [...ENGINE, ...KEY, ...subject],
      [...ENGINE, '-new', ...subject],
      [...ENGINE, ...KEY, '-new', '-x509', ...subject],
      [...ENGINE, '-key', '0xe0f1:^:NEW:0x04:0x13', '-new', ...subject],
      [...ENGINE, '-key', '0xe0f1:^:NEW:0x03:0x20', '-new', ...subject],
      [...ENGINE, '-key', '0xe0f1:key.pem', '-new', ...subject],
      [...ENGINE, '-key', '0xe0fc:^:NEW:0x03:0x13', '-new', ...subject],
      [...ENGINE, ...KEY, '-new', '-subj', 'CN=x'],
      ['pkeyutl', '-keyform', 'engine', '-engine', 'trustm_engine'],
    ]) {
      const { status, stdout, stderr } = run(front, args, chip);
      assert.equal(status, 1, args.join(' '));
      assert.match(stderr, /^openssl: ./);
      assert.equal(stdout, '');
    }
    assert.match(run(front, [...ENGINE, ...KEY, '-new', ...subject]).stderr, /THINGKIT_ELEMENT/);
  });
});

test('options of one letter', () => {
  const read = (...args: string[]) => {
    const { values, fault } = readShortOptions(args, 'i:o:r');
    return fault ?? Object.fromEntries(values);
  };
  assert.deepEqual(read('-ia', '-o', '-b', 'stray', '-r'), { i: 'a', o: '-b', r: '' });
  assert.deepEqual(read('-i', 'a', '--', '-o', 'b'), { i: 'a' });
  assert.equal(read('-o'), 'Option -o requires an argument.');
  assert.equal(read('-:'), 'Unknown option -:.');
});
