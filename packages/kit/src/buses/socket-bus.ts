/** A bus whose chip is a virtual one in another process, behind a Unix socket (socket-frames.ts). */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Turns } from '../elements/turns.ts';
import { BusError, type I2cBus } from './contract.ts';
import { encodeRequest, takeAnswer, type TransferAnswer, type TransferRequest } from './socket-frames.ts';

/** Milliseconds that an answer may take. */
const PATIENCE = 10_000;

/** The next answer; rejects where it is none, takes too long, or the socket is closed. */
function nextAnswer(socket: Socket): Promise<TransferAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<TransferAnswer>();
  let received = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    received = Buffer.concat([received, chunk]);
    const taken = takeAnswer(received);
    if (taken === undefined) return;
    if (taken === 'damaged' || taken.rest.length > 0)
      reject(new BusError('failed', 'what is behind the socket answers with something else than transfers'));
    else resolve(taken.frame);
  };
  const onClose = (): void => reject(new BusError('failed', 'what is behind the socket has closed it'));
  const timer = setTimeout(() => reject(new BusError('failed', `no answer within ${PATIENCE / 1000} s`)), PATIENCE);
  socket.on('data', onData);
  socket.once('close', onClose);
  if (socket.destroyed) onClose();
  return promise.finally(() => {
    clearTimeout(timer);
    socket.off('data', onData);
    socket.off('close', onClose);
  });
}

/** Connects; throws BusError where nothing listens. */
export async function openSocketBus(path: string): Promise<I2cBus> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
  } catch (cause) {
    throw new BusError('failed', `nothing listens on ${path}`, { cause });
  }
  socket.on('error', () => undefined);
  const turns = new Turns();
  const transfer = (request: TransferRequest): Promise<Buffer> =>
    turns.take(async () => {
      const answer = nextAnswer(socket);
      socket.write(encodeRequest(request));
      const { isAcknowledged, bytes } = await answer.catch((error: unknown) => {
        // What comes late would be taken for the answer to the next request.
        socket.destroy();
        throw error;
      });
      if (!isAcknowledged) throw new BusError('nack', `no chip answers at address 0x${request.address.toString(16)}`);
      if (request.kind === 'read' && bytes.length !== request.length)
        throw new BusError('failed', `${bytes.length} bytes instead of ${request.length}`);
      return bytes;
    });
  return {
    async write(address, bytes) {
      await transfer({ kind: 'write', address, length: bytes.length, bytes });
    },
    read: (address, length) => transfer({ kind: 'read', address, length, bytes: Buffer.alloc(0) }),
    async pause(milliseconds) {
      await pause(milliseconds);
    },
    async [Symbol.asyncDispose]() {
      socket.destroy();
    },
  };
}
