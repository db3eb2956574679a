/** What every command of thingkit has: examples that parse, help, completion, JSON and exit codes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { COMMANDS } from './commands.ts';
import { SHELLS } from './completion.ts';
import { exitCodeLines, helpOfCommand } from './help.ts';
import { flagsOf, readFlags } from './read-flags.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'thingkit-test-'));
after(() => rmSync(folder, { recursive: true }));

const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS|THINGKIT|NODE)_/.test(name)));
const thingkit = (...args: string[]) =>
  spawnSync(process.execPath, [MAIN, ...args], { cwd: folder, encoding: 'utf8', env: environment, input: '' });

/** Words of a shell's line: quotes are taken away, and `$(...)` stands for one word. */
const wordsOf = (line: string): string[] =>
  spawnSync('bash', ['-c', `printf '%s\\0' ${line.replaceAll(/\$\([^)]*\)/g, 'CODE').replace(/ [|>].*$/, '')}`], {
    encoding: 'utf8',
  })
    .stdout.split('\0')
    .slice(0, -1);

suite('every command', () => {
  for (const command of COMMANDS)
    test(command.name, () => {
      const help = helpOfCommand(command);
      assert.ok(command.examples.length > 0);
      for (const line of command.examples) {
        assert.ok(help.includes(line));
        const words = wordsOf(line);
        const begin = words.indexOf('thingkit');
        // A line that runs another program with what the command serves.
        if (begin < 0) continue;
        const own = command.name.split(' ');
        assert.deepEqual(words.slice(begin + 1, begin + 1 + own.length), own, line);
        readFlags(command, words.slice(begin + 1 + own.length));
      }
      const names = flagsOf(command).map(({ name }) => name);
      assert.equal(new Set(names).size, names.length);
      const letters = flagsOf(command).flatMap(({ short }) => short ?? []);
      assert.equal(new Set(letters).size, letters.length);
      for (const { name, what } of flagsOf(command)) {
        assert.match(name, /^[a-z][a-z-]*$/);
        assert.doesNotMatch(name, /^(password|pin|secret)$/, 'no secret on a command line');
        assert.notEqual(what, '');
      }
    });
});

test('names are unique, and none hides another', () => {
  const names = COMMANDS.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const name of names) assert.equal(names.includes(name.split(' ')[0] ?? '') && name.includes(' '), false, name);
});

test('help, version, groups', () => {
  for (const args of [[], ['help'], ['--help']]) {
    const { status, stdout } = thingkit(...args);
    assert.equal(status, 0);
    for (const { name } of COMMANDS) assert.ok(stdout.includes(`thingkit ${name}`), name);
  }
  assert.match(thingkit('--version').stdout, /^thingkit \d+\.\d+\.\d+ \(Node\.js v\d+/);
  assert.match(thingkit('ca').stdout, /thingkit ca root/);
  assert.match(thingkit('csr', '-h').stdout, /Examples:/);
  assert.match(thingkit('help', 'ca', 'root').stdout, /^thingkit ca root/);
});

test('what is wrong with a command line is said in one line, with exit code 2', () => {
  for (const [args, message] of [
    [['fly'], /unknown command fly/],
    [['csr', '--wings'], /--wings/],
    [['csr'], /--subject SUBJECT is missing/],
    [['csr', '--subject', '/CN=a', '--subject', '/CN=b'], /--subject is given twice/],
    [['csr', '--subject', '/CN=a', '--form', 'xml'], /--form takes pem, der, not xml/],
    [['csr', '--subject', '/CN=a', 'more'], /more is one argument too many/],
    [['csr', '--subject', '/CN=a'], /--element is missing/],
    [['csr', '--subject', 'CN=a', '--element', 'file:k.key'], /does not begin with \//],
    [['ca', 'root', '--years', 'many'], /--years takes 1 to 100, not many/],
    [['completion'], /--shell SHELL is missing/],
  ] as const) {
    const { status, stdout, stderr } = thingkit(...args);
    assert.equal(status, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, message);
    const asJson = thingkit(...args, '--json');
    assert.equal(asJson.status, 2);
    assert.equal(asJson.stderr, '');
    const { error } = JSON.parse(asJson.stdout);
    assert.equal(error.code, 'usage');
    assert.match(error.message, message);
  }
});

test('exit codes: the element, the network; and those that the help names are those of docs/kit', () => {
  assert.equal(thingkit('csr', '--subject', '/CN=a', '--element', 'file:none.key').status, 3);
  writeFileSync(join(folder, 'credentials'), '[default]\naws_access_key_id=x\naws_secret_access_key=y\n');
  environment.AWS_SHARED_CREDENTIALS_FILE = join(folder, 'credentials');
  const unreached = thingkit('ca', 'code', '--endpoint-url', 'http://127.0.0.1:1', '--region', 'us-east-1', '--json');
  delete environment.AWS_SHARED_CREDENTIALS_FILE;
  assert.equal(unreached.status, 7, unreached.stderr + unreached.stdout);
  assert.equal(JSON.parse(unreached.stdout).error.code, 'ECONNREFUSED');
  const page = readFileSync(new URL('../../../../docs/kit/README.md', import.meta.url), 'utf8');
  const codes = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, code = '']) => code);
  assert.deepEqual(codes(page, /^\| (\d) \|/gm), codes(exitCodeLines(), /^ {2}(\d) /gm));
});

suite('completion', () => {
  for (const shell of SHELLS)
    test(shell, () => {
      const { status, stdout } = thingkit('completion', '--shell', shell);
      assert.equal(status, 0);
      for (const word of ['provision', 'root', 'new-key']) assert.ok(stdout.includes(word), word);
    });
  test('bash completes commands, second words, flags and values', () => {
    const { stdout: script } = thingkit('completion', '--shell', 'bash');
    const complete = (...words: string[]): string[] => {
      const line = `${script}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})\nCOMP_CWORD=${words.length - 1}\n_thingkit\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
      return spawnSync('bash', ['--norc', '-c', line], { encoding: 'utf8', cwd: folder }).stdout.trim().split('\n');
    };
    assert.deepEqual(complete('thingkit', 'prov'), ['provision']);
    assert.deepEqual(complete('thingkit', 'ca', 'ro'), ['root']);
    assert.deepEqual(complete('thingkit', 'csr', '--new'), ['--new-key']);
    assert.deepEqual(complete('thingkit', 'csr', '--form', ''), ['pem', 'der']);
    assert.deepEqual(complete('thingkit', 'ca', 'root', '--template', 'z'), ['zero-touch']);
  });
});

test('--dry-run writes nothing', () => {
  const { status, stdout } = thingkit(
    'csr',
    '--element',
    'file:dry.key',
    '--new-key',
    '--subject',
    '/CN=a',
    '--out',
    'dry.csr',
    '--dry-run',
    '--json',
  );
  assert.equal(status, 0);
  assert.equal(JSON.parse(stdout).dryRun, true);
  assert.throws(() => readFileSync(join(folder, 'dry.key')), /ENOENT/);
  assert.throws(() => readFileSync(join(folder, 'dry.csr')), /ENOENT/);
});
