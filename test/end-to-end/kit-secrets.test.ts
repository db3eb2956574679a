/** A private key that an element can hold is in nothing that the kit writes or prints, and in no command line. */
// suite: long
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { plainEnvironment, run } from './run-command.ts';

const MAIN = fileURLToPath(new URL('../../packages/kit/src/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'thingkeep-test-'));
after(() => rmSync(folder, { recursive: true }));

interface Kind {
  readonly kind: string;
  readonly key: string;
  /** Commands after the chip was made, before its key is. */
  readonly setUp: readonly (readonly string[])[];
  readonly query: string;
  /** The private keys in the chip's file, which is the silicon. */
  readonly secrets: (state: string) => string[];
}

const LOCK = ['--confirm', '--element'];
const KINDS: readonly Kind[] = [
  {
    kind: 'atecc608',
    key: '0',
    setUp: [
      ['atecc', 'config', '--write', 'zero-touch', '--element', 'atecc608:virtual:chip.json'],
      ['atecc', 'lock', '--zone', 'config', ...LOCK, 'atecc608:virtual:chip.json?address=0x58'],
      ['atecc', 'lock', '--zone', 'data', ...LOCK, 'atecc608:virtual:chip.json?address=0x58'],
    ],
    query: '?address=0x58',
    secrets: (state) => [(JSON.parse(state) as { slots: string[] }).slots[0]?.slice(-64) ?? ''],
  },
  {
    kind: 'optiga-trust-m',
    key: '0xE0F1',
    setUp: [],
    query: '',
    secrets: (state) =>
      Object.values((JSON.parse(state) as { keys: Record<string, { secret: string }> }).keys).map(({ secret }) => secret),
  },
];

async function serveChip(kind: string, cwd: string): Promise<ChildProcess> {
  const args = [MAIN, 'chip', 'serve', '--kind', kind, '--state', 'chip.json', '--socket', 'chip.sock'];
  const chip = spawn(process.execPath, args, { cwd, env: plainEnvironment(), stdio: ['ignore', 'ignore', 'pipe'] });
  await once(createInterface({ input: chip.stderr }), 'line');
  return chip;
}

for (const { kind, key, setUp, query, secrets } of KINDS)
  test(kind, async () => {
    const cwd = join(folder, kind);
    mkdirSync(cwd);
    const printed: string[] = [];
    const thingkit = async (...args: string[]): Promise<void> => {
      for (const more of [[], ['--json']]) {
        const { code, stdout, stderr } = await run(process.execPath, [MAIN, ...args, ...more], { cwd });
        printed.push(stdout, stderr);
        assert.equal(code, 0, `${args.join(' ')}: ${stdout}${stderr}`);
        if (/^(chip|atecc)$/.test(args[0] ?? '')) break;
      }
    };
    await thingkit('chip', 'new', '--kind', kind, '--state', 'chip.json');
    for (const args of setUp) await thingkit(...args);
    // The chip is another process from here on: the kit has nothing but what comes over the bus.
    const chip = await serveChip(kind, cwd);
    const element = `${kind}:socket:chip.sock${query}`;
    writeFileSync(join(cwd, 'data.txt'), 'what is signed');
    await thingkit('ca', 'root', '--folder', 'ca', '--template', 'zero-touch');
    await thingkit('ca', 'signer-csr', '--folder', 'ca');
    await thingkit('ca', 'signer', '--folder', 'ca', '--template', 'zero-touch');
    const signer = ['--signer', 'file:ca/signer-ca.key', '--signer-certificate', 'ca/signer-ca.crt'];
    const board = ['--root-certificate', 'ca/root-ca.crt', '--template', 'zero-touch', '--no-register'];
    const subject = ['--subject', '/O=Example Inc/CN=Example Device'];
    await thingkit('provision', '--element', element, ...signer, ...board, ...subject);
    await thingkit('element', 'show', '--element', element);
    await thingkit('element', 'public-key', '--element', element, '--key', key);
    await thingkit('element', 'sign', '--element', element, '--key', key, '--in', 'data.txt');
    await thingkit('csr', '--element', element, '--key', key, ...subject, '--out', 'device.csr');
    await thingkit('doctor', '--element', element);
    await thingkit('manifest', '--form', 'microchip', ...signer, '--out', 'microchip.json');
    chip.kill('SIGTERM');
    await once(chip, 'exit');

    const found = secrets(readFileSync(join(cwd, 'chip.json'), 'utf8'));
    assert.ok(found.length > 0);
    const files = readdirSync(cwd, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'chip.json')
      .map((entry) => join(entry.parentPath, entry.name));
    assert.ok(files.length > 10, String(files.length));
    const outputs = [...printed.map((text) => Buffer.from(text)), ...files.map((path) => readFileSync(path))];
    for (const hex of found) {
      assert.match(hex, /^[0-9a-f]{64}$/);
      const secret = Buffer.from(hex, 'hex');
      for (const output of outputs) {
        assert.equal(output.includes(secret), false);
        const text = output.toString('latin1').replace(/\s/g, '');
        assert.equal(text.toLowerCase().includes(hex), false);
        // Base64 of what stands anywhere in a longer text: three places of its beginning.
        for (const shift of [0, 1, 2]) {
          const inside = Buffer.concat([Buffer.alloc(shift), secret])
            .toString('base64')
            .slice(4, 40);
          assert.equal(text.includes(inside), false);
          assert.equal(text.includes(inside.replaceAll('+', '-').replaceAll('/', '_')), false);
        }
      }
    }
  });
