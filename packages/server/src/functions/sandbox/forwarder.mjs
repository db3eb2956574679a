/**
 * The way out of a function's network namespace: listens on its loopback address and hands what comes to unix sockets of the
 * server. A process of its own, so that a function which blocks its event loop still reaches the API. Arguments: PORT=SOCKET.
 */
import { closeSync, openSync } from 'node:fs';
import { connect, createServer } from 'node:net';

/** Connections at a time, of one port. Those that have said nothing go first. */
const MOST = 128;

function forward(port, path) {
  const open = new Set();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (from) => {
    from.on('error', () => from.destroy());
    if (open.size >= MOST) {
      const silent = [...open].find((socket) => socket.bytesRead === 0);
      if (silent === undefined) return from.destroy();
      open.delete(silent);
      silent.destroy();
    }
    open.add(from);
    const to = connect({ path, allowHalfOpen: true });
    to.on('error', () => from.destroy());
    from.on('close', () => {
      open.delete(from);
      to.destroy();
    });
    to.on('close', () => from.destroySoon());
    from.pipe(to);
    to.pipe(from);
  });
  return new Promise((resolve) => server.listen({ port, host: '127.0.0.1', backlog: 511 }, resolve));
}

process.on('uncaughtException', () => undefined);
await Promise.all(process.argv.slice(2).map((argument) => forward(...splitOnce(argument))));
// Whoever waits for the ports reads the end of this. Its number must not go to a connection.
closeSync(1);
openSync('/dev/null', 'w');

function splitOnce(argument) {
  const at = argument.indexOf('=');
  return [Number(argument.slice(0, at)), argument.slice(at + 1)];
}
