/**
 * `npm run build`: packages/{wire,x509,server,kit}/dist as they are published. JavaScript and declarations by tsc, from what the
 * command reaches (tests stay behind), and a package.json of their own. Then the proof: all are packed, installed in an
 * empty folder, and the installed command is run. `--no-check` leaves the proof out.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, copyFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
}

const manifestOf = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;

/** Compiles a package's sources; `paths` says where packages of the workspace are found that were built before. */
function compile(
  folder: string,
  sources: { include?: string[]; files?: string[] },
  paths: Readonly<Record<string, string[]>> = {},
): void {
  const config = join(folder, 'dist', 'tsconfig.json');
  mkdirSync(join(folder, 'dist'), { recursive: true });
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(ROOT, 'tsconfig.json'),
      compilerOptions: {
        noEmit: false,
        declaration: true,
        rewriteRelativeImportExtensions: true,
        rootDir: join(folder, 'src'),
        outDir: join(folder, 'dist'),
        typeRoots: [join(ROOT, 'node_modules/@types')],
        paths,
      },
      include: sources.include?.map((pattern) => join(folder, pattern)) ?? [],
      files: sources.files?.map((file) => join(folder, file)) ?? [],
      exclude: ['**/*.test.ts', '**/*.fixture.ts', '**/testing/**'].map((pattern) => join(folder, 'src', pattern)),
    }),
  );
  execFileSync(process.execPath, [TSC, '--project', config], { stdio: 'inherit' });
  rmSync(config);
}

/** What tsc leaves as it was written: imports of the workspace's packages, and relative ones in declarations. */
function rewriteImports(folder: string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!/\.(js|d\.ts)$/.test(name)) continue;
    const path = join(folder, name);
    const text = readFileSync(path, 'utf8');
    const rewritten = text.replace(
      /((?:\bfrom|\bimport)\s*\(?\s*['"](?:@thingkeep\/(?:wire|x509)\/|\.{1,2}\/)[^'"]*)\.ts(['"])/g,
      '$1.js$2',
    );
    if (rewritten !== text) writeFileSync(path, rewritten);
  }
}

function finish(folder: string, changes: Readonly<Record<string, unknown>>): void {
  const dist = join(folder, 'dist');
  rewriteImports(dist);
  const { engines } = manifestOf(ROOT) as Manifest & { engines: unknown };
  const manifest = { ...manifestOf(folder), engines, ...changes };
  writeFileSync(join(dist, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  copyFileSync(join(ROOT, 'LICENSE'), join(dist, 'LICENSE'));
  copyFileSync(join(folder, 'README.md'), join(dist, 'README.md'));
}

/** Types of the AWS SDK are part of wire's declarations; who compiles against those brings them. */
function sdkPeers(): Record<string, unknown> {
  const { devDependencies = {} } = manifestOf(ROOT) as Manifest & { devDependencies?: Record<string, string> };
  const names = Object.keys(devDependencies).filter((name) =>
    /^@aws-sdk\/client-(iot(-data-plane|-jobs-data-plane)?|lambda)$/.test(name),
  );
  return {
    peerDependencies: Object.fromEntries(names.map((name) => [name, '3'])),
    peerDependenciesMeta: Object.fromEntries(names.map((name) => [name, { optional: true }])),
  };
}

/** Sources that run in threads of their own: they are started by URL, and no import leads to them. */
const threadsOf = (folder: string): string[] =>
  readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/\.(test|fixture)\.ts$|(^|\/)testing\//.test(name))
    .filter((name) => /\bparentPort\b.*from 'node:worker_threads'/.test(readFileSync(join(folder, 'src', name), 'utf8')))
    .map((name) => join('src', name));

const PACKAGES = ['wire', 'x509', 'server', 'kit'];

function build(): string[] {
  const [wire = '', x509 = '', server = '', kit = ''] = PACKAGES.map((name) => join(ROOT, 'packages', name));
  for (const folder of [wire, x509, server, kit]) rmSync(join(folder, 'dist'), { recursive: true, force: true });
  compile(wire, { include: ['src/**/*.ts'] });
  finish(wire, { exports: { './*': './*' }, ...sdkPeers() });
  compile(x509, { include: ['src/**/*.ts'] });
  finish(x509, { exports: { './*': './*' } });
  compile(
    server,
    { files: ['src/main.ts', ...threadsOf(server)] },
    { '@thingkeep/wire/*.ts': [join(wire, 'dist/*.d.ts')], '@thingkeep/x509/*.ts': [join(x509, 'dist/*.d.ts')] },
  );
  // What runs in other processes is no part of the program, and goes along as it is.
  for (const name of ['bootstrap.py', 'bootstrap.mjs', 'forwarder.mjs'])
    copyFileSync(join(server, 'src/functions/sandbox', name), join(server, 'dist/functions/sandbox', name));
  copyFileSync(join(server, 'src/node-version.mjs'), join(server, 'dist/node-version.mjs'));
  finish(server, { bin: { thingkeep: './main.js' }, exports: { './*': './*' } });
  chmodSync(join(server, 'dist/main.js'), 0o755);
  compile(kit, { include: ['src/**/*.ts'] }, { '@thingkeep/x509/*.ts': [join(x509, 'dist/*.d.ts')] });
  finish(kit, { bin: { thingkit: './main.js' }, exports: { './*': './*' } });
  chmodSync(join(kit, 'dist/main.js'), 0o755);
  return [wire, x509, server, kit].map((folder) => join(folder, 'dist'));
}

/** Packs what was built, installs it where nothing else is, and runs the command that comes of it. */
async function prove(packages: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'thingkeep-build-'));
  try {
    const npm = (args: readonly string[], cwd: string): string =>
      execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    const tarballs = packages.map((path) => {
      const [packed] = JSON.parse(npm(['pack', '--json', '--pack-destination', folder], path)) as {
        filename: string;
        size: number;
        entryCount: number;
      }[];
      if (packed === undefined) throw new Error(`npm packed nothing of ${path}`);
      process.stdout.write(`${packed.filename}: ${packed.entryCount} files, ${Math.round(packed.size / 1024)} KB\n`);
      return join(folder, packed.filename);
    });
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    npm(['install', '--omit=peer', '--no-audit', '--no-fund', '--prefer-offline', ...tarballs], folder);
    // The link that npm made, run by this very Node: a user has Node 24 as `node`.
    const command = join(folder, 'node_modules/.bin/thingkeep');
    const help = execFileSync(process.execPath, [command, 'help'], { encoding: 'utf8' });
    if (!help.includes('thingkeep start')) throw new Error(`thingkeep help says ${help}`);
    const kit = join(folder, 'node_modules/.bin/thingkit');
    const request = execFileSync(
      process.execPath,
      [kit, 'csr', '--element', `file:${join(folder, 'device.key')}`, '--new-key', '--subject', '/CN=device-1'],
      { encoding: 'utf8' },
    );
    if (!request.startsWith('-----BEGIN CERTIFICATE REQUEST-----')) throw new Error(`thingkit csr says ${request}`);
    await proveStart(command, join(folder, 'data'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function proveStart(command: string, data: string): Promise<void> {
  const args = ['start', '--data-dir', data, '--api-port', '0', '--mqtt-port', '0', '--https-port', '0', '--log-level', 'silent'];
  const server = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'inherit'], timeout: 30_000 });
  const exited = once(server, 'exit') as Promise<[number | null, string | null]>;
  const ready = once(createInterface({ input: server.stdout }), 'line') as Promise<[string]>;
  const first = await Promise.race([ready, exited]);
  if (typeof first[0] !== 'string') throw new Error(`the installed server ended with ${first.join(' ')}`);
  process.stdout.write(`${first[0]}\n`);
  const url = /api (\S+)/.exec(first[0])?.[1] ?? '';
  const health = await fetch(`${url}/health`);
  server.kill('SIGTERM');
  const [code] = await exited;
  if (health.status !== 200 || code !== 0) throw new Error(`the installed server: health ${health.status}, exit ${code}`);
}

const packages = build();
if (!process.argv.includes('--no-check')) {
  await prove(packages);
  process.stdout.write(`Built, packed, installed and started: ${packages.map((path) => relative(ROOT, path)).join(', ')}.
To use them elsewhere, pack them (npm pack ${packages.map((path) => `./${relative(ROOT, path)}`).join(' ')})
and install the four files together where Node.js 24 is: npm install ./thingkeep-*.tgz && npx thingkeep start
`);
}
