/**
 * The way out of a function's network namespace: listens on its loopback address and hands what comes to unix sockets of the
 * server. A process of its own, so that a function which blocks its event loop still reaches the API. Arguments: PORT=SOCKET.
 */
import { closeSync, openSync } from 'node:fs';
import { connect, createServer } from 'node:net';

/** Connections at a time, of one port, and of those that wait until one ends. */
const MOST = 16;
const MOST_WAITING = 112;
/** Milliseconds after which one that has said nothing makes way for one that waits. */
const SILENCE = 250;

function forward(port, path) {
  const open = new Map();
  const waiting = new Set();
  let timer;
  const endSilent = (milliseconds) => {
    const before = performance.now() - milliseconds;
    const silent = [...open].find(([socket, since]) => socket.bytesRead === 0 && since <= before);
    if (silent === undefined) return false;
    open.delete(silent[0]);
    silent[0].destroy();
    return true;
  };
  const letIn = () => {
    for (const from of waiting) {
      if (open.size >= MOST && !endSilent(SILENCE)) break;
      waiting.delete(from);
      open.set(from, performance.now());
      join(from);
    }
    if (waiting.size === 0 || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      letIn();
    }, SILENCE);
  };
  const join = (from) => {
    const to = connect({ path, allowHalfOpen: true });
    to.on('error', () => from.destroy());
    from.on('close', () => to.destroy());
    to.on('close', () => from.destroySoon());
    from.pipe(to);
    to.pipe(from);
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (from) => {
    from.on('error', () => from.destroy());
    from.on('close', () => {
      waiting.delete(from);
      open.delete(from);
      letIn();
    });
    waiting.add(from);
    letIn();
    if (waiting.size <= MOST_WAITING) return;
    if (endSilent(0)) letIn();
    else from.destroy();
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
