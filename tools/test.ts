/**
 * `npm test` and `npm run test:all`: makes sure that the programs which tests use as peers are here, then runs the suites
 * one after another. A test file says what it needs in a line `// needs: NAME...`; a file whose needs can't be met is left
 * out, said so, and fails a CI run. A file with a line `// suite: long` runs with `--all` alone.
 * Other arguments go to `node --test`: names of test files there replace the suites.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SUITES: Readonly<Record<string, readonly string[]>> = {
  unit: ['packages/*/src/**/*.test.ts', 'bench/**/*.test.ts'],
  architecture: ['test/*.test.ts'],
  conformance: ['test/conformance/**/*.test.ts'],
  'end-to-end': ['test/end-to-end/**/*.test.ts'],
};
/** The suite of files with a line `// suite: long`, wherever they are. */
const LONG = 'long';

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
  ansible: { debian: 'ansible-core', isHere: () => runs('ansible-playbook', '--version') },
  aws: { debian: 'awscli', isHere: () => runs('aws', '--version') },
  // Functions are confined by it.
  bubblewrap: { debian: 'bubblewrap', isHere: () => runs('bwrap', '--version') },
  cc: { debian: 'gcc', isHere: () => runs('cc', '--version') },
  boto3: { debian: 'python3-boto3', isHere: () => imports('boto3') },
  jq: { debian: 'jq', isHere: () => runs('jq', '--version') },
  curl: { debian: 'curl', isHere: () => runs('curl', '--version') },
  'mosquitto-clients': {
    debian: 'mosquitto-clients',
    isHere: () => runs('mosquitto_pub', '--help') && runs('mosquitto_sub', '--help'),
  },
  passt: { debian: 'passt', isHere: () => runs('pasta', '--version') },
  // Only promtool is asked for; the package has it.
  promtool: { debian: 'prometheus', isHere: () => runs('promtool', '--version') },
  prlimit: { debian: 'util-linux', isHere: () => runs('prlimit', '--version') },
  moto: { byHand: "pip install 'moto[server]'", isHere: () => imports('moto.server') },
  opensc: { debian: 'opensc', isHere: () => runs('pkcs11-tool', '--help') },
  openssl: { debian: 'openssl', isHere: () => runs('openssl', 'version') },
  softhsm2: { debian: 'softhsm2', isHere: () => runs('softhsm2-util', '--version') },
  // Functions run as users that can't reach a Python in somebody's home.
  'system-boto3': { debian: 'python3-boto3', isHere: () => imports('boto3', ['/usr/bin/python3']) },
  // The agent of deploy/ansible runs with the Python of the machine.
  'system-paho': { debian: 'python3-paho-mqtt', isHere: () => imports('paho.mqtt.client', ['/usr/bin/python3']) },
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

const inFull = (file: string): string => `${ROOT}${file}`;
const find = (patterns: readonly string[]): string[] =>
  globSync([...patterns], { cwd: ROOT, exclude: ['**/node_modules/**'] })
    .map(inFull)
    .sort();
const isLong = (file: string): boolean => /^\/\/ suite: long$/m.test(readFileSync(file, 'utf8'));

/** Files by suite: those that are named, or all, the long ones only when asked for. */
function suitesOf(named: readonly string[], all: boolean): Map<string, string[]> {
  if (named.length > 0) return new Map([['named', find(named)]]);
  const suites = new Map(Object.entries(SUITES).map(([name, patterns]) => [name, find(patterns)]));
  const long = [...suites.values()].flat().filter(isLong);
  const others = [...suites].map(([name, files]): [string, string[]] => [name, files.filter((file) => !long.includes(file))]);
  return new Map(all ? [...others, [LONG, long]] : others);
}

/** Adds the counts of a runner's summary lines (`ℹ pass 12`) to those of before. */
function addCounts(totals: Map<string, number>, summary: readonly string[]): void {
  for (const line of summary) {
    const [, name = '', count = ''] = /ℹ (\w+) ([\d.]+)/.exec(line) ?? [];
    totals.set(name, (totals.get(name) ?? 0) + Number(count));
  }
}

async function main(args: readonly string[]): Promise<number> {
  const all = args.includes('--all');
  const options = args.filter((arg) => arg.startsWith('-') && arg !== '--all');
  const suites = suitesOf(
    args.filter((arg) => !arg.startsWith('-')),
    all,
  );
  const files = [...suites.values()].flat();
  if (files.length === 0) {
    say('No test file was found.');
    return 1;
  }
  const needs = readNeeds(files);
  const missing = new Set(missingPeers([...new Set([...needs.values()].flat())].sort()));
  const leftOut = files.filter((file) => needs.get(file)?.some((name) => missing.has(name)));
  const totals = new Map<string, number>();
  const minutes: string[] = [];
  let failed = 0;
  for (const [suite, list] of suites) {
    const run = list.filter((file) => !leftOut.includes(file));
    if (run.length === 0) continue;
    const began = performance.now();
    const { code, summary } = await runTests(run, options);
    minutes.push(`${suite} ${((performance.now() - began) / 60_000).toFixed(1)} min`);
    addCounts(totals, summary);
    if (code !== 0) failed = code;
  }
  for (const file of leftOut) {
    const lacks = needs.get(file)?.filter((name) => missing.has(name)) ?? [];
    say(`Left out: ${file.slice(ROOT.length)} needs ${lacks.join(', ')}`);
  }
  say(`Minutes: ${minutes.join(', ')}`);
  for (const [name, count] of totals) say(`ℹ ${name} ${count}`);
  if ((totals.get('tests') ?? 0) === 0) {
    say('No test ran.');
    return 1;
  }
  const inCi = !['', '0', 'false'].includes(process.env.CI ?? '');
  return failed !== 0 ? failed : inCi && leftOut.length > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
