/** Connections of the load generator: plain or mutual TLS, up to the CONNACK. */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { connectPacket, subscribePacket } from './wire.ts';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** PEM texts; absent for plain TCP. */
  readonly tls?: { readonly ca: string; readonly devices: readonly { readonly cert: string; readonly key: string }[] };
}

const contexts = new Map<number, ReturnType<typeof createSecureContext>>();

/** Opens a socket, with the key exchange that devices have (P-256) and with the certificate of device `n`. */
export function open(endpoint: Endpoint, n: number): Promise<Socket> {
  const { host, port, tls } = endpoint;
  return new Promise((resolve, reject) => {
    if (tls === undefined) {
      const socket = connectTcp({ host, port, noDelay: true }, () => resolve(socket)).on('error', reject);
      return;
    }
    const which = n % tls.devices.length;
    const device = tls.devices[which];
    let secureContext = contexts.get(which);
    if (secureContext === undefined) {
      secureContext = createSecureContext({ ca: tls.ca, ...device, ecdhCurve: 'P-256' });
      contexts.set(which, secureContext);
    }
    const socket = connectTls({ host, port, servername: 'localhost', secureContext }, () => resolve(socket)).on('error', reject);
    socket.setNoDelay(true);
  });
}

/** Waits for the next `size` bytes at least, with a plain listener that is taken away again. */
const bytes = (socket: Socket, size: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    let got = Buffer.alloc(0);
    const listen = (chunk: Buffer): void => {
      got = Buffer.concat([got, chunk]);
      if (got.length < size) return;
      socket.off('data', listen);
      socket.pause();
      resolve(got);
    };
    socket.on('data', listen);
    socket.once('close', () => reject(new Error('closed')));
    socket.resume();
  });

export async function connectClient(endpoint: Endpoint, n: number, clientId: string): Promise<Socket> {
  const socket = await open(endpoint, n);
  socket.write(connectPacket(clientId));
  const answer = await bytes(socket, 4);
  if (answer[0] !== 0x20 || answer[3] !== 0) throw new Error(`CONNACK ${answer.toString('hex')}`);
  return socket;
}

export async function subscribe(socket: Socket, filters: readonly string[], qos: number): Promise<void> {
  socket.write(subscribePacket(filters, qos));
  const answer = await bytes(socket, 4 + filters.length);
  if (answer[0] !== 0x90 || answer.subarray(4).some((code) => code > 1)) throw new Error(`SUBACK ${answer.toString('hex')}`);
}
