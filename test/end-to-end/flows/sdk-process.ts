/**
 * The AWS IoT device SDK as flows drive it (remote.ts), in a process of its own: its native threads outlive its clients.
 * Arguments: level, transport, port, CA file, certificate and key file; an access key by environment.
 */
import { createInterface } from 'node:readline';
import type { ConnectOptions, FlowClient, Level, Outgoing, Qos, Transport } from './client.ts';
import type { Answer, Request } from './remote.ts';
import { connectSdk311 } from './sdk-mqtt311.ts';
import { connectSdk5 } from './sdk-mqtt5.ts';

const [level = '', transport = '', port = '', ca = '', cert = '', key = ''] = process.argv.slice(2);
const target = { transport: transport as Transport, port: Number(port), ca, cert, key };
const connect = (Number(level) as Level) === 5 ? connectSdk5 : connectSdk311;
const clients = new Map<number, FlowClient>();

async function handle({ client: number, verb, args }: Request): Promise<unknown> {
  const [first, second] = args;
  if (verb === 'connect') {
    const made = await connect(target, first as ConnectOptions);
    clients.set(number, made);
    return made.welcome;
  }
  const client = clients.get(number);
  if (client === undefined) throw new Error(`no client ${number}`);
  switch (verb) {
    case 'subscribe':
      return client.subscribe(first as string, second as Qos);
    case 'unsubscribe':
      return client.unsubscribe(first as string);
    case 'publish':
      return client.publish(first as Outgoing);
    case 'disconnect':
      return client.disconnect(first as { sessionExpiry?: number });
    default:
      return client[verb]();
  }
}

const answer = (line: Answer): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
createInterface({ input: process.stdin })
  .on('close', () => process.exit())
  .on('line', (line) => {
    const request = JSON.parse(line) as Request;
    handle(request).then(
      (ok) => answer({ id: request.id, ok: ok ?? null }),
      (error: unknown) => answer({ id: request.id, error: String(error) }),
    );
  });
