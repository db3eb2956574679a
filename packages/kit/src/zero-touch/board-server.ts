/** Puts a board behind a Unix socket: reports of 65 bytes come in, reports of 64 bytes go out (hid-reports.ts). */
import type { Socket } from 'node:net';
import { listenOnPrivateSocket } from '../sockets/private-socket.ts';
import type { ZeroTouchBoard } from './board.ts';
import { boardReports, HOST_REPORT_LENGTH, ReportReader } from './hid-reports.ts';

function serveHost(board: ZeroTouchBoard, socket: Socket): void {
  const reader = new ReportReader();
  let received: Buffer = Buffer.alloc(0);
  let last: Promise<void> = Promise.resolve();
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    for (; received.length >= HOST_REPORT_LENGTH; received = received.subarray(HOST_REPORT_LENGTH)) {
      const line = reader.take(received.subarray(0, HOST_REPORT_LENGTH));
      if (line === undefined) continue;
      // One command after another, as the board has one task for them.
      socket.pause();
      last = last
        .then(() => board.answer(line))
        .then(
          (answer) => {
            for (const report of boardReports(answer)) socket.write(report);
          },
          (error: Error) => {
            socket.destroy(error);
          },
        )
        .finally(() => socket.resume());
    }
  });
}

/** Listens until it is disposed of; one host works with the board at a time. */
export const serveBoard = (board: ZeroTouchBoard, path: string): Promise<AsyncDisposable> =>
  listenOnPrivateSocket(path, { most: 1, onConnection: (socket) => serveHost(board, socket) });
