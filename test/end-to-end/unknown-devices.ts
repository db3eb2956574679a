/**
 * Devices that nobody has registered, in a thread of their own. `workerData` is a {@link Fleet}. All connect at once, and come
 * again until the server has closed a connection after their CONNECT; told of another port, all of them do so once more.
 */
import { connect } from 'node:tls';
import { parentPort, workerData } from 'node:worker_threads';
import { generate } from 'mqtt-packet';

export interface Fleet {
  readonly ca: string;
  readonly port: number;
  readonly devices: readonly { readonly clientId: string; readonly certPem: string; readonly keyPem: string }[];
}

/** Milliseconds until a device comes again that could not send its CONNECT: at least, and as much more at random. */
const PAUSE = 500;

const { ca, devices, port: firstPort } = workerData as Fleet;

/** One connection; says whether it was closed after its CONNECT without an answer. */
function attempt({ clientId, certPem, keyPem }: Fleet['devices'][number], port: number): Promise<boolean> {
  return new Promise((resolve) => {
    let isSent = false;
    let hasFailed = false;
    const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca, cert: certPem, key: keyPem });
    const hello = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId, clean: true, keepalive: 60 } as const;
    socket.on('secureConnect', () => {
      socket.write(generate(hello));
      isSent = true;
    });
    socket.on('data', () => {
      hasFailed = true;
    });
    socket.on('error', () => {
      hasFailed = true;
    });
    socket.on('close', () => resolve(isSent && !hasFailed));
  });
}

/** Connects all, and says so once each was refused. A later call makes an earlier one end in silence. */
let latest = 0;
async function connectAll(port: number): Promise<void> {
  latest += 1;
  const mine = latest;
  const run = async (device: Fleet['devices'][number]): Promise<void> => {
    while (mine === latest && !(await attempt(device, port)))
      await new Promise((resolve) => setTimeout(resolve, PAUSE * (1 + Math.random())));
  };
  await Promise.all(devices.map(run));
  if (mine === latest) parentPort?.postMessage(port);
}

parentPort?.on('message', (next: number) => void connectAll(next));
await connectAll(firstPort);
