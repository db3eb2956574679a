/**
 * The real server as its own process, on free ports and a folder of its own. `await using server = await startServer()`
 * ends it with SIGTERM and makes sure that it went well.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane';
import { type Outcome, plainEnvironment, run } from './run-command.ts';
import { startDeadline, until } from './until.ts';

export const MAIN = fileURLToPath(new URL('../../packages/server/src/main.ts', import.meta.url));
export const FREE_PORTS = ['--api-port', '0', '--mqtt-port', '0', '--https-port', '0'] as const;

export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), 'thingkeep-test-'));

/** The `thingkeep` command, to its end. */
export const thingkeep = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
  run(process.execPath, [MAIN, ...args], { env: { ...plainEnvironment(), ...env } });

export interface StartOptions {
  /** A folder that stays after the server's end; without it there is one that goes with the server. */
  readonly dataDir?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** User id to run as, of a test that runs as root. */
  readonly user?: number;
  /** A command that the server is started by: it becomes the server, in the end. */
  readonly through?: readonly string[];
}

export interface LogLine extends Readonly<Record<string, unknown>> {
  readonly event?: string;
}

const READY =
  /^Thingkeep is ready: api (?<url>https?:\/\/\S+:(?<api>\d+)) mqtt \S+:(?<mqtt>\d+) https \S+:(?<https>\d+) metrics (?<metrics>\S+) endpoint (?<endpoint>\S+) data (?<data>.+)$/;

export class TestServer implements AsyncDisposable {
  readonly dataDir: string;
  /** What it writes on standard error, as it stands. */
  readonly lines: readonly string[];
  /** URL of the metrics. */
  readonly metrics: string;
  readonly url: string;
  readonly ports: { readonly api: number; readonly mqtt: number; readonly https: number };
  readonly readyLine: string;
  /** Structured log lines so far. */
  readonly log: LogLine[];
  readonly iot: IoTClient;
  readonly iotData: IoTDataPlaneClient;
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  readonly #temporary: boolean;

  constructor(
    child: ChildProcess,
    exited: Promise<number | null>,
    readyLine: string,
    { log, lines }: { log: LogLine[]; lines: string[] },
    temporary: boolean,
  ) {
    const found = READY.exec(readyLine)?.groups as
      | Record<'url' | 'api' | 'mqtt' | 'https' | 'metrics' | 'endpoint' | 'data', string>
      | undefined;
    assert(found !== undefined, `not a ready line: ${readyLine}`);
    this.#child = child;
    this.#exited = exited;
    this.#temporary = temporary;
    this.readyLine = readyLine;
    this.log = log;
    this.lines = lines;
    this.dataDir = found.data;
    this.metrics = found.metrics;
    this.url = found.url;
    this.ports = { api: Number(found.api), mqtt: Number(found.mqtt), https: Number(found.https) };
    const credentials = this.credentials();
    const client = { endpoint: this.url, region: 'us-east-1', credentials, maxAttempts: 1 };
    this.iot = new IoTClient(client);
    this.iotData = new IoTDataPlaneClient(client);
  }

  get rootCa(): string {
    return join(this.dataDir, 'root-ca.pem');
  }

  /** What `thingkeep env` exports, and what keeps AWS's tools from looking elsewhere. */
  get env(): Record<string, string> {
    return {
      ...plainEnvironment(),
      AWS_ENDPOINT_URL: this.url,
      AWS_SHARED_CREDENTIALS_FILE: join(this.dataDir, 'credentials'),
      AWS_CONFIG_FILE: '/dev/null',
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_PAGER: '',
    };
  }

  /** Of the server's process. */
  get pid(): number {
    return this.#child.pid ?? -1;
  }

  credentials(): { accessKeyId: string; secretAccessKey: string } {
    const text = readFileSync(join(this.dataDir, 'credentials'), 'utf8');
    const value = (name: string): string => new RegExp(`^${name} = (.+)$`, 'm').exec(text)?.[1] ?? '';
    return { accessKeyId: value('aws_access_key_id'), secretAccessKey: value('aws_secret_access_key') };
  }

  /** Makes an account. Gives its root's key. */
  async createAccount(accountId: string): Promise<{ accessKeyId: string; secretAccessKey: string }> {
    const { code, stdout, stderr } = await thingkeep(['accounts', 'create', accountId, '--data-dir', this.dataDir, '--json']);
    assert.equal(code, 0, stderr);
    const [{ accessKeyId, secretAccessKey }] = JSON.parse(stdout) as [{ accessKeyId: string; secretAccessKey: string }];
    return { accessKeyId, secretAccessKey };
  }

  /** The first log line that fits, within the deadline. */
  logged(fits: (line: LogLine) => boolean): Promise<LogLine> {
    return until('a log line', () => this.log.find(fits));
  }

  /** Sends a signal. Resolves with the exit code once the server has ended; at once for one that only stops it. */
  signal(signal: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP'): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal);
    return signal === 'SIGSTOP' ? Promise.resolve(null) : this.#exited;
  }

  async stop(): Promise<number | null> {
    this.iot.destroy();
    this.iotData.destroy();
    return this.signal('SIGTERM');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const killed = this.#child.signalCode !== null;
    const code = killed ? 0 : await this.stop();
    if (this.#temporary) rmSync(this.dataDir, { recursive: true, force: true });
    assert.equal(code, 0, 'the server ends well');
  }
}

export async function startServer({ dataDir, args = [], env = {}, user, through = [] }: StartOptions = {}): Promise<TestServer> {
  const folder = dataDir ?? temporaryFolder();
  if (user !== undefined) chownSync(folder, user, user);
  const metrics = ['--metrics-bind', '127.0.0.1:0'];
  const command = [...through, process.execPath, MAIN, 'start', '--data-dir', folder, ...FREE_PORTS, ...metrics, ...args];
  const child = spawn(command[0] ?? '', command.slice(1), {
    env: { ...plainEnvironment(), ...env },
    uid: user,
    gid: user,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // A test that is ended from outside takes its server with it.
  const orphaned = (): boolean => child.kill('SIGKILL');
  process.once('exit', orphaned);
  const exited = once(child, 'close').then(([code]) => {
    process.off('exit', orphaned);
    return code as number | null;
  });
  const log: LogLine[] = [];
  const plain: string[] = [];
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line);
    if (line.startsWith('{')) log.push(JSON.parse(line) as LogLine);
    else plain.push(line);
  });
  const readyLine = await startDeadline(
    Promise.race([
      once(createInterface({ input: child.stdout }), 'line').then(([line]) => line as string),
      exited.then((code) => assert.fail(`the server ended with ${code}: ${plain.join('\n')}`)),
    ]),
  );
  return new TestServer(child, exited, readyLine, { log, lines }, dataDir === undefined);
}
