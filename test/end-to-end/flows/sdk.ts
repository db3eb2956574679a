/** The AWS IoT device SDK's two clients, each in a process of its own. */
import { fileURLToPath } from 'node:url';
import { plainEnvironment } from '../run-command.ts';
import type { ConnectOptions, Driver, Driving, FlowClient, Level, Place, Transport } from './client.ts';
import { Remote } from './remote.ts';

const SCRIPT = fileURLToPath(new URL('sdk-process.ts', import.meta.url));

function start({ server, device }: Place, level: Level, transport: Transport): Remote {
  const port = transport === 'tls' ? server.ports.mqtt : server.ports.https;
  const { accessKeyId, secretAccessKey } = server.credentials();
  const env = { ...plainEnvironment(), AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  return new Remote(process.execPath, [SCRIPT, `${level}`, transport, `${port}`, server.rootCa, device.cert, device.key], env);
}

/**
 * The MQTT 3.1.1 client always says DISCONNECT, and one over WebSocket sends a Close frame (developer guide, page
 * life-cycle-events: no will): to lose one with a will, its process is killed. That a ping of MQTT 3.1.1 was answered is only in
 * a log of everything that its process does.
 */
class SdkProcesses implements Driving {
  readonly #processes: Remote[] = [];
  readonly #start: () => Remote;
  readonly #separate: boolean;

  constructor(starting: () => Remote, separate: boolean) {
    this.#start = starting;
    this.#separate = separate;
    this.#begin();
  }

  #begin(): Remote {
    const begun = this.#start();
    this.#processes.push(begun);
    return begun;
  }

  async connect(options: ConnectOptions): Promise<FlowClient> {
    const { will, keepAlive } = options;
    if (!this.#separate || (will ?? keepAlive) === undefined) return (this.#processes[0] as Remote).connect(options);
    const own = this.#begin();
    const client = await own.connect(options);
    client.drop = () => own.kill();
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((each) => each.kill()));
  }
}

export const deviceSdk = (level: Level, transport: Transport): Driver => ({
  name: 'aws-iot-device-sdk-v2',
  level,
  transport,
  cannot: level === 5 ? { 'keep-alive ping': 'it pings as often as CONNACK asks for, and that is 30 seconds at least' } : {},
  open: async (place) => new SdkProcesses(() => start(place, level, transport), level === 4 || transport === 'sigv4'),
});
