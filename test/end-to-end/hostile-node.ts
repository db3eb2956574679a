/** The same in Node.js: what each way tries, and how it tells what came of it. */

export const NODE = `
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync, openSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';

const STEP = 16 << 20;
const ALL = 700 << 20;
const held = [];
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function grow(step) {
  let total = 0;
  try {
    for (; total < ALL; total += STEP) {
      step();
      await pause(1);
    }
  } catch (error) {
    return total;
  }
  await pause(1000);
  return total;
}

const reached = (address) =>
  new Promise((resolve) => {
    const socket = connect(address);
    socket.on('error', () => resolve(false));
    socket.on('data', () => resolve(true));
    socket.setTimeout(1000, () => resolve(false));
  });

async function reach(event) {
  const found = [];
  const attempt = (name, work) => {
    try {
      found.push([name, String(work()).slice(0, 100)]);
    } catch {
      // That is how it has to be.
    }
  };
  for (const path of [event.data, event.folder, '/root', '/work', '/etc/shadow']) {
    attempt(path, () => readdirSync(path));
    attempt(path, () => readFileSync(path));
  }
  for (const name of ['credentials', 'thingkeep.db']) attempt(name, () => readFileSync(event.data + '/' + name));
  for (const pid of [event.server, event.parent])
    for (const name of ['environ', 'mem', 'cmdline', 'root/etc/passwd']) attempt(name, () => readFileSync('/proc/' + pid + '/' + name));
  attempt('signal', () => process.kill(event.server, 'SIGTERM'));
  attempt('setuid', () => process.setuid(0));
  attempt('unshare', () => execFileSync('/usr/bin/unshare', ['--user', 'true'], { stdio: 'ignore' }));
  for (const path of ['/usr/bin/x', '/x', '/dev/x', '/var/task/x', '/var/runtime/x']) attempt(path, () => writeFileSync(path, ''));
  for (const port of [event.port, event.mqtt])
    for (const host of ['127.0.0.1', 'localhost', '::1'])
      if (await reached({ host, port })) found.push([host, port]);
  if (await reached({ path: '\\\\0' + event.abstract })) found.push(['abstract']);
  if (await reached({ host: '169.254.169.254', port: 80 })) found.push(['link-local']);
  return found;
}

const WAYS = {
  heap: () => grow(() => held.push(Array.from({ length: STEP / 8 }, (_, n) => n + 0.5))),
  buffers: () => grow(() => held.push(Buffer.alloc(STEP, 1))),
  file: () => {
    const file = openSync('/tmp/file', 'w');
    return grow(() => {
      for (let written = 0; written < STEP; ) written += writeSync(file, Buffer.alloc(1 << 20, 1));
    });
  },
  workers: async () => {
    const code = 'const held = []; for (let n = 0; n < 45; n += 1) held.push(Buffer.alloc(4 << 20, 1)); setInterval(() => held, 1000);';
    for (let n = 0; n < 4; n += 1) held.push(new Worker(code, { eval: true }));
    await pause(3000);
    return 4 * 180 << 20;
  },
  // The event loop stands still, and another process reaches the API over the forwarder.
  blocks: () => {
    const code = "import os, urllib.request; print(urllib.request.urlopen(os.environ['AWS_ENDPOINT_URL'] + '/health').read().decode())";
    return spawnSync('/usr/bin/python3', ['-c', code]).stdout.toString().includes('ok') ? 'ok' : 'not';
  },
};

export const handler = async (event) => (event.way === 'reach' ? reach(event) : WAYS[event.way]());
`;
