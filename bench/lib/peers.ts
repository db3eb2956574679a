/** The brokers that are compared, each as a process of its own, with the same server certificate and the same devices. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

export interface Peer {
  readonly name: string;
  readonly pid: number;
  /** Port of mutual TLS. */
  readonly port: number;
  stop(): Promise<void>;
}

export const ROOT = new URL('../..', import.meta.url).pathname;

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

const stopper = (child: ChildProcess) => (): Promise<void> =>
  new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });

/** Waits for a line of the child's output. */
const line = (child: ChildProcess, pattern: RegExp): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = '';
    const listen = (chunk: Buffer): void => {
      text += chunk.toString();
      const found = pattern.exec(text);
      if (found !== null) resolve(found[0]);
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', listen);
    child.once('exit', (code) => reject(new Error(`${child.spawnfile} ended with ${code}: ${text}`)));
  });

export async function startThingkeep(folder: string, source: string = ROOT): Promise<Peer & { readonly api: string }> {
  const main = join(source, 'packages/server/src/main.ts');
  // As `npm start` does it.
  const child = spawn(process.execPath, [
    '--max-semi-space-size=8',
    '--max-old-space-size-percentage=50',
    '--expose-gc',
    main,
    'start',
    '--data-dir',
    folder,
    '--api-port',
    '0',
    '--mqtt-port',
    '0',
    '--https-port',
    '0',
    '--log-level',
    'error',
  ]);
  const ready = await line(child, /Thingkeep is ready:.*\n/);
  const port = Number(/mqtt \S+:(\d+)/.exec(ready)?.[1]);
  return { name: 'thingkeep', pid: child.pid ?? 0, port, api: /api (\S+)/.exec(ready)?.[1] ?? '', stop: stopper(child) };
}

export async function startMosquitto(folder: string, authority: string): Promise<Peer> {
  const port = await freePort();
  mkdirSync(folder, { recursive: true });
  const server = readFileSync(join(authority, 'server-ecdsa.pem'), 'utf8');
  const issuer = readFileSync(join(authority, 'device-issuer.pem'), 'utf8');
  writeFileSync(join(folder, 'ca.pem'), certificatesOf(issuer));
  writeFileSync(join(folder, 'chain.pem'), certificatesOf(server));
  writeFileSync(join(folder, 'key.pem'), keyOf(server), { mode: 0o600 });
  const config = [
    'user root',
    `listener ${port} 127.0.0.1`,
    `cafile ${join(folder, 'ca.pem')}`,
    `certfile ${join(folder, 'chain.pem')}`,
    `keyfile ${join(folder, 'key.pem')}`,
    'require_certificate true',
    'use_identity_as_username true',
    'allow_anonymous true',
    // The in-flight window that Thingkeep has.
    'max_inflight_messages 100',
    'max_queued_messages 0',
    'set_tcp_nodelay true',
    'log_type error',
  ];
  writeFileSync(join(folder, 'mosquitto.conf'), `${config.join('\n')}\n`);
  const child = spawn('mosquitto', ['-c', join(folder, 'mosquitto.conf')]);
  await reachable(port);
  return { name: 'mosquitto', pid: child.pid ?? 0, port, stop: stopper(child) };
}

export async function startAedes(authority: string): Promise<Peer> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(ROOT, 'bench/lib/aedes-server.ts'), String(port), authority]);
  await line(child, /ready/);
  return { name: 'aedes', pid: child.pid ?? 0, port, stop: stopper(child) };
}

export const certificatesOf = (pem: string): string =>
  (pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----\n?/g) ?? []).join('');
export const keyOf = (pem: string): string =>
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----\n?/.exec(pem)?.[0] ?? '';

async function reachable(port: number): Promise<void> {
  const { connect } = await import('node:net');
  for (let tries = 0; tries < 100; tries += 1) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      }).on('error', () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on ${port}`);
}
