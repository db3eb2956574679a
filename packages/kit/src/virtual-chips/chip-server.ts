/** Puts a virtual chip behind a Unix socket: drivers of other processes take turns, one transfer each (buses/socket-frames.ts). */
import type { Socket } from 'node:net';
import { BusError } from '../buses/contract.ts';
import { encodeAnswer, takeRequest, type TransferAnswer, type TransferRequest } from '../buses/socket-frames.ts';
import type { KitClock } from '../clock.ts';
import { listenOnPrivateSocket } from '../sockets/private-socket.ts';
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

/** Listens until it is disposed of. The chip's clock follows `clock`. */
export function serveChip(chip: VirtualChip, path: string, clock: KitClock): Promise<AsyncDisposable> {
  let last = clock.monotonic();
  const onConnection = (socket: Socket): void => {
    let received: Buffer = Buffer.alloc(0);
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
  };
  return listenOnPrivateSocket(path, { most: MAX_DRIVERS, onConnection });
}
