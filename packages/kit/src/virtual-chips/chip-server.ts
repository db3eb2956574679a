/** Puts a virtual chip behind a Unix socket: drivers of other processes take turns, one transfer each (buses/socket-frames.ts). */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { BusError } from '../buses/contract.ts';
import { encodeAnswer, takeRequest, type TransferAnswer, type TransferRequest } from '../buses/socket-frames.ts';
import type { KitClock } from '../clock.ts';
import type { VirtualChip } from './contract.ts';

/** Drivers at once. */
const MAX_DRIVERS = 8;

function transfer(chip: VirtualChip, { kind, address, length, bytes }: TransferRequest): TransferAnswer {
  try {
    if (kind === 'write') {
      chip.write(address, bytes);
      return { isAcknowledged: true, bytes: Buffer.alloc(0) };
    }
    return { isAcknowledged: true, bytes: chip.read(address, length) };
  } catch (error) {
    if (error instanceof BusError && error.code === 'nack') return { isAcknowledged: false, bytes: Buffer.alloc(0) };
    throw error;
  }
}

/** Listens until it is disposed of; the socket's file has mode 0600. The chip's clock follows `clock`. */
export async function serveChip(chip: VirtualChip, path: string, clock: KitClock): Promise<AsyncDisposable> {
  let last = clock.monotonic();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let received: Buffer = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      for (let taken = takeRequest(received); taken !== undefined; taken = takeRequest(received)) {
        if (taken === 'damaged') return socket.destroy();
        received = taken.rest;
        const now = clock.monotonic();
        chip.elapse(now - last);
        last = now;
        socket.write(encodeAnswer(transfer(chip, taken.frame)));
      }
    });
  });
  server.maxConnections = MAX_DRIVERS;
  // The mask decides who may connect: a socket's mode can't be given otherwise without a moment in between.
  const before = process.umask(0o177);
  try {
    server.listen(path);
    await once(server, 'listening');
  } finally {
    process.umask(before);
  }
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
      rmSync(path, { force: true });
    },
  };
}
