/**
 * `npm test`: makes sure that the programs which tests use as peers are here, then runs every test. A test file says what
 * it needs in a line `// needs: NAME...`; a file whose needs can't be met is left out, said so, and fails a CI run.
 * Arguments go to `node --test`: names of test files there replace the whole set.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SETS = ['packages/*/src/**/*.test.ts', 'bench/**/*.test.ts', 'test/**/*.test.ts'];

interface Peer {
  /** Debian's package that brings it; absent where there is none. */
  readonly debian?: string;
  /** How to install it by hand, where Debian has no package. */
  readonly byHand?: string;
  readonly isHere: () => boolean;
}

const runs = (program: string, ...args: string[]): boolean =>
  spawnSync(program, args, { stdio: 'ignore', timeout: 60_000 }).error === undefined;
const imports = (library: string, pythons = ['python3', '/usr/bin/python3']): boolean =>
  pythons.some((python) => spawnSync(python, ['-c', `import ${library}`], { stdio: 'ignore' }).status === 0);

const PEERS: Readonly<Record<string, Peer>> = {
  aws: { debian: 'awscli', isHere: () => runs('aws', '--version') },
  boto3: { debian: 'python3-boto3', isHere: () => imports('boto3') },
  curl: { debian: 'curl', isHere: () => runs('curl', '--version') },
  'mosquitto-clients': {
    debian: 'mosquitto-clients',
    isHere: () => runs('mosquitto_pub', '--help') && runs('mosquitto_sub', '--help'),
  },
  prlimit: { debian: 'util-linux', isHere: () => runs('prlimit', '--version') },
  moto: { byHand: "pip install 'moto[server]'", isHere: () => imports('moto.server') },
  openssl: { debian: 'openssl', isHere: () => runs('openssl', 'version') },
  // Functions run as users that can't reach a Python in somebody's home.
  'system-boto3': { debian: 'python3-boto3', isHere: () => imports('boto3', ['/usr/bin/python3']) },
  'system-python3': { debian: 'python3', isHere: () => runs('/usr/bin/python3', '--version') },
  root: { byHand: 'run the tests as root', isHere: () => process.getuid?.() === 0 },
  paho: { debian: 'python3-paho-mqtt', isHere: () => imports('paho.mqtt.client') },
};

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Test files by what they need. */
function readNeeds(files: readonly string[]): Map<string, readonly string[]> {
  return new Map(
    files.map((file) => {
      const [, line = ''] = /^\/\/ needs: (.+)$/m.exec(readFileSync(file, 'utf8')) ?? [];
      const names = line.split(/\s+/).filter((name) => name !== '');
      for (const name of names)
        if (!Object.hasOwn(PEERS, name)) throw new Error(`${file} needs ${name}, which tools/test.ts does not know`);
      return [file, names];
    }),
  );
}

/** What is missing, after having tried to install it. */
function missingPeers(names: readonly string[]): string[] {
  const missing = names.filter((name) => !PEERS[name]?.isHere());
  if (missing.length === 0) return [];
  const packages = missing.flatMap((name) => PEERS[name]?.debian ?? []);
  if (packages.length > 0 && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    say(`Installing what the tests need: ${packages.join(' ')}`);
    const { status } = spawnSync('tools/install-peers.sh', packages, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
    if (status !== 0) say(`The installation failed (${status}).`);
  }
  const still = missing.filter((name) => !PEERS[name]?.isHere());
  const debian = still.flatMap((name) => PEERS[name]?.debian ?? []);
  const commands = [
    ...(debian.length > 0 ? [`sudo apt-get install ${debian.join(' ')}`] : []),
    ...still.flatMap((name) => PEERS[name]?.byHand ?? []),
  ];
  if (still.length > 0) say(`Not here: ${still.join(', ')}. To install: ${commands.join('; ')}`);
  return still;
}

/** Runs the files; gives the exit code and the summary lines that the runner printed. */
function runTests(files: readonly string[], options: readonly string[]): Promise<{ code: number; summary: string[] }> {
  const concurrency = Math.max(1, availableParallelism());
  const args = [
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${concurrency}`,
    '--test-timeout=240000',
    ...options,
    ...files,
  ];
  const colour = process.stdout.isTTY ? { FORCE_COLOR: '1' } : {};
  // A runner inside a runner reports to the outer one and prints nothing.
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...environment, ...colour },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill(signal));
  const summary = new Map<string, string>();
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    process.stdout.write(text);
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [, name] = /^\W*ℹ (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+/.exec(line) ?? [];
      if (name !== undefined) summary.set(name, line);
    }
  });
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code: code ?? 1, summary: [...summary.values()] }));
  });
}

async function main(args: readonly string[]): Promise<number> {
  const options = args.filter((arg) => arg.startsWith('-'));
  const named = args.filter((arg) => !arg.startsWith('-'));
  const files = globSync(named.length > 0 ? named : SETS, { cwd: ROOT, exclude: ['**/node_modules/**'] })
    .map((file) => `${ROOT}${file}`)
    .sort();
  if (files.length === 0) {
    say('No test file was found.');
    return 1;
  }
  const needs = readNeeds(files);
  const missing = new Set(missingPeers([...new Set([...needs.values()].flat())].sort()));
  const leftOut = files.filter((file) => needs.get(file)?.some((name) => missing.has(name)));
  const { code, summary } = await runTests(
    files.filter((file) => !leftOut.includes(file)),
    options,
  );
  for (const file of leftOut)
    say(
      `Left out: ${file.slice(ROOT.length)} needs ${needs
        .get(file)
        ?.filter((name) => missing.has(name))
        .join(', ')}`,
    );
  // After the list of failures that the runner ends with, once more how many there were.
  if (code !== 0 || leftOut.length > 0) for (const line of summary) say(line);
  if (!summary.some((line) => /ℹ tests [1-9]/.test(line))) {
    say('No test ran.');
    return 1;
  }
  const inCi = !['', '0', 'false'].includes(process.env.CI ?? '');
  return code !== 0 ? code : inCi && leftOut.length > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
