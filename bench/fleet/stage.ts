/** Where a scenario plays: a throw-away folder, a server on it, and devices that it has certified and allowed. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Endpoint } from '../lib/connection.ts';
import { type Device, makeDevices } from '../lib/devices.ts';
import { type Figure, figure } from './figures.ts';
import { type Server, startServer } from './server.ts';

export interface StageOptions {
  /** Distinct certificates; devices beyond that share them. */
  readonly certificates: number;
  /** Whether the server can be asked for its memory. */
  readonly probe?: boolean;
}

export class Stage implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'thingkeep-fleet-'));
  /** Lines of the server's log. */
  readonly log: string[] = [];
  readonly devices: Device[] = [];
  readonly #probe: boolean;
  #server: Server | undefined;

  private constructor(probe: boolean) {
    this.#probe = probe;
  }

  static async open({ certificates, probe = false }: StageOptions): Promise<Stage> {
    const stage = new Stage(probe);
    try {
      await stage.start();
      stage.devices.push(...(await makeDevices(certificates, { ...stage.api, account: '000000000000' })));
      return stage;
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The server's data folder. */
  get data(): string {
    return join(this.folder, 'data');
  }

  get server(): Server {
    if (this.#server === undefined) throw new Error('the server is not running');
    return this.#server;
  }

  /** How SDK clients call the API of the running server. */
  get api() {
    const file = readFileSync(join(this.data, 'credentials'), 'utf8');
    const secret = (name: string): string => new RegExp(`${name} = (\\S+)`).exec(file)?.[1] ?? '';
    const credentials = { accessKeyId: secret('aws_access_key_id'), secretAccessKey: secret('aws_secret_access_key') };
    return { endpoint: this.server.api, region: 'us-east-1', credentials, maxAttempts: 1 };
  }

  get endpoint(): Endpoint {
    return this.endpointAt(this.server.port);
  }

  /** The devices before another broker that has the same authority. */
  endpointAt(port: number): Endpoint {
    const ca = readFileSync(join(this.data, 'root-ca.pem'), 'utf8');
    return { host: '127.0.0.1', port, tls: { ca, devices: this.devices } };
  }

  async start(): Promise<Server> {
    this.#server = await startServer(this.data, this.log, this.#probe);
    return this.#server;
  }

  async stop(): Promise<{ code: number | null; ms: number }> {
    const { server } = this;
    this.#server = undefined;
    return server.stop();
  }

  /** What a server that is well does not log. */
  errors(): Figure {
    return figure("errors in the server's log", this.errorLines().length, 'lines', { most: 0 });
  }

  errorLines(): string[] {
    return this.log.filter((line) => !/^\{"level":(10|20|30|40),/.test(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server !== undefined) await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export interface Given {
  /** 1 is in full; numbers and times follow it. */
  readonly scale: number;
  /** Of the soak. */
  readonly minutes: number;
  /** Folder for what a scenario draws. */
  readonly out: string;
  readonly say: (text: string) => void;
}

export interface Scenario {
  readonly about: string;
  readonly stage: (given: Given) => StageOptions;
  readonly run: (stage: Stage, given: Given) => Promise<Figure[]>;
}
