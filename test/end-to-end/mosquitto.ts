/** mosquitto_pub and mosquitto_sub against the server: one message there and back, and how either ends. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { plainEnvironment, type Outcome, run } from './run-command.ts';
import type { TestServer } from './test-core.ts';
import { within } from './until.ts';

export interface MosquittoOptions {
  readonly cert: string;
  readonly key: string;
  readonly clientId: string;
  readonly topic: string;
  readonly version?: 'mqttv311' | 'mqttv5';
  readonly port?: number;
  readonly more?: readonly string[];
}

const args = (
  server: TestServer,
  { cert, key, clientId, topic, version = 'mqttv311', port, more = [] }: MosquittoOptions,
): string[] => [
  ...['-h', 'localhost', '-p', String(port ?? server.ports.mqtt), '--cafile', server.rootCa, '--cert', cert, '--key', key],
  ...['-V', version, '-i', clientId, '-t', topic, ...more],
];

export const mosquittoPub = (server: TestServer, options: MosquittoOptions, message: string): Promise<Outcome> =>
  run('mosquitto_pub', [...args(server, options), '-m', message], { deadline: 20_000 });

export interface Listening {
  /** The one message that it waits for, as "topic message". */
  readonly message: Promise<string>;
}

/** Resolves once the broker has granted the subscription; ends after one message. */
export async function mosquittoSub(server: TestServer, options: MosquittoOptions): Promise<Listening> {
  // Line buffering: what it has printed is to be seen at once.
  const child = spawn('stdbuf', ['-oL', 'mosquitto_sub', ...args(server, options), '-d', '-v', '-C', '1', '-W', '20'], {
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const granted = Promise.withResolvers<void>();
  const ended = new Promise<string>((resolve, reject) => {
    child.once('close', (code) => {
      granted.reject(new Error(`mosquitto_sub ended with ${code}: ${lines.join('\n')}`));
      const found = lines.find((line) => line.startsWith(`${options.topic} `));
      if (found === undefined) reject(new Error(`mosquitto_sub ended with ${code}: ${lines.join('\n')}`));
      else resolve(found);
    });
  });
  ended.catch(() => undefined);
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (/received SUBACK/.test(line)) granted.resolve();
    });
  await within('SUBACK to mosquitto_sub', granted.promise);
  return { message: ended };
}
