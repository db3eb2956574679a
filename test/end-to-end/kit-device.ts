/** A device that `thingkit run` is: its key in an element, its certificate of the server's, and the process of the agent. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreateThingCommand,
} from '@aws-sdk/client-iot';
import { plainEnvironment, run, succeed } from './run-command.ts';
import type { TestServer } from './test-core.ts';
import { until, within } from './until.ts';

const KIT = fileURLToPath(new URL('../../packages/kit/src/main.ts', import.meta.url));

/** Variables that the kit's process gets beside the plain ones. */
type Env = Readonly<Record<string, string>>;

export interface KitDevice {
  readonly name: string;
  readonly uri: string;
  readonly certificate: string;
  readonly certificateArn: string;
  readonly env: Env;
  /** Flags of who connects, and where to. */
  readonly flags: readonly string[];
}

/** Runs `thingkit` to its end; its `--json`. */
export async function thingkit(args: readonly string[], { env = {}, input }: { env?: Env; input?: string } = {}) {
  const outcome = await run(process.execPath, [KIT, ...args, '--json'], { env: { ...plainEnvironment(), ...env }, input });
  return { ...outcome, json: JSON.parse(outcome.stdout || '{}') as Record<string, unknown> };
}

/** A thing with a certificate of a request that `thingkit csr` made, with a policy attached. */
export async function kitDevice(
  server: TestServer,
  name: string,
  uri: string,
  policyName: string,
  env: Env = {},
): Promise<KitDevice> {
  const args = [KIT, 'csr', '--element', uri, '--new-key', '--subject', `/CN=${name}`];
  const certificateSigningRequest = await succeed(process.execPath, args, { env: { ...plainEnvironment(), ...env } });
  const made = await server.iot.send(new CreateCertificateFromCsrCommand({ certificateSigningRequest, setAsActive: true }));
  const { certificateArn = '', certificatePem = '' } = made;
  await server.iot.send(new CreateThingCommand({ thingName: name }));
  await server.iot.send(new AttachPolicyCommand({ policyName, target: certificateArn }));
  await server.iot.send(new AttachThingPrincipalCommand({ thingName: name, principal: certificateArn }));
  const certificate = join(server.dataDir, `${name}.kit.crt`);
  writeFileSync(certificate, certificatePem);
  const flags = [
    ...['--element', uri, '--certificate', certificate, '--root-ca', server.rootCa, '--client-id', name],
    ...['--endpoint', `localhost:${server.ports.mqtt}`],
  ];
  return { name, uri, certificate, certificateArn, env, flags };
}

/** A port of this machine that leads to another one, which may change. */
export async function movablePort(target: number): Promise<AsyncDisposable & { readonly port: number; target: number }> {
  const sockets = new Set<Socket>();
  const moved = { target };
  const listener = createServer((from) => {
    const to = connect(moved.target, 'localhost');
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  listener.listen(0, 'localhost');
  await once(listener, 'listening');
  return Object.assign(moved, {
    port: (listener.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  });
}

/** An agent that runs. */
export class Agent implements AsyncDisposable {
  readonly said: string[] = [];
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #printed = '';

  constructor(args: readonly string[], env: Env = {}) {
    this.#child = spawn(process.execPath, [KIT, 'run', ...args], { env: { ...plainEnvironment(), ...env }, stdio: 'pipe' });
    if (this.#child.stderr !== null) createInterface({ input: this.#child.stderr }).on('line', (line) => this.said.push(line));
    this.#child.stdout?.on('data', (chunk: Buffer) => {
      this.#printed += chunk.toString();
    });
    this.#ended = once(this.#child, 'exit').then(([code]) => code as number | null);
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get printed(): string {
    return this.#printed;
  }

  line(text: string): void {
    this.#child.stdin?.write(`${text}\n`);
  }

  /** The first line that it has said from `since` on that fits. */
  says(what: RegExp, since = 0): Promise<string> {
    return until(`${what} of ${this.said.join('\n')}`, () => this.said.slice(since).find((line) => what.test(line)), 30_000);
  }

  end(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    this.#child.kill(signal);
    return within('the end of the agent', this.#ended, 15_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) assert.equal(await this.end(), 0, this.said.join('\n'));
  }
}
