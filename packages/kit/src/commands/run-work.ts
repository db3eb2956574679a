/** What `thingkit run` does with its connection: the parts that its flags ask for, side by side. */
import { readFileSync } from 'node:fs';
import type { AgentOptions, DeviceAgent } from '../agent/agent.ts';
import { readAllowedCommands } from '../agent/allowed-commands.ts';
import { performJob } from '../agent/job-work.ts';
import { JobAgent } from '../agent/jobs.ts';
import { Board, boardLine } from '../agent/board.ts';
import { DeviceShadow } from '../agent/shadow.ts';
import { environmentMessage, environmentTopic, publishMessages, repeated, simulatedEnvironment } from '../agent/telemetry.ts';
import type { SecureElement } from '../elements/contract.ts';
import { listenToKeys } from './board-keys.ts';
import { storedCertificate } from './stored-certificate.ts';
import { type Flag, type Given, type JsonValue, KitError, type Surroundings } from './command.ts';

export const RUN_FLAGS: readonly Flag[] = [
  { name: 'endpoint', value: 'HOST[:PORT]', what: 'where to connect to; port 8883 where it is absent', isRequired: true },
  { name: 'root-ca', value: 'FILE', what: "the server's authorities in PEM; else those of the system", isPath: true },
  { name: 'certificate', value: 'FILE', what: "the device's certificate, PEM or DER; else the element has it", isPath: true },
  {
    name: 'certificate-object',
    value: 'NAME',
    what: 'the object of the element that holds it; else where thingkit provision keeps it',
  },
  { name: 'client-id', value: 'ID', what: "MQTT client id; else the thing's name" },
  { name: 'thing', value: 'NAME', what: "the thing's name; else the client id" },
  { name: 'connect-timeout', value: 'SECONDS', what: 'give up after so long without a connection; 0 is never' },
  { name: 'publish', value: 'TOPIC', what: 'publish messages there, and end' },
  { name: 'message', value: 'TEXT', what: 'the message; without it each line of standard input is one' },
  { name: 'message-file', value: 'FILE', what: 'the message is the content of a file, instead', isPath: true },
  { name: 'count', value: 'N', what: 'how often the message is published; 1 where it is absent' },
  { name: 'interval', value: 'SECONDS', what: 'between two messages; 0 where it is absent' },
  { name: 'report', value: 'JSON', what: "report these members to the thing's shadow, read it back, and end" },
  { name: 'board', what: 'be the board of three buttons and three LEDs: keys or lines 1, 2 and 3 press buttons' },
  { name: 'jobs', value: 'FILE', what: 'do jobs: the commands that they may run, docs/kit/agent.md has the form', isPath: true },
  { name: 'download-folder', value: 'FOLDER', what: 'where files of jobs go; without it such jobs are rejected', isPath: true },
  { name: 'download-limit', value: 'BYTES', what: 'largest file of a job; 64 MiB where it is absent' },
  { name: 'telemetry-interval', value: 'SECONDS', what: 'publish the environment message on things/ID/environment' },
];

export interface RunWork {
  /** It ends by itself. */
  readonly isEnding: boolean;
  run(agent: DeviceAgent, options: AgentOptions): Promise<{ readonly [name: string]: JsonValue | undefined }>;
}

const usage = (message: string, hint?: string): KitError => new KitError('usage', message, { hint });

/** Host and port. */
export function endpointOf(text: string): { host: string; port: number | undefined } {
  const [, host = '', port] = /^(?:[a-z]+:\/\/)?([A-Za-z0-9.-]+|\[[0-9a-f:.]+\])(?::(\d{1,5}))?\/?$/i.exec(text) ?? [];
  if (host === '' || Number(port ?? 1) > 65_535 || Number(port ?? 1) === 0)
    throw usage(`--endpoint takes HOST or HOST:PORT, not ${text}`, 'such as localhost:8883');
  return { host, port: port === undefined ? undefined : Number(port) };
}

const idsOf = (given: Given): { clientId: string; thingName: string } => {
  const clientId = given.text('client-id') ?? given.text('thing');
  if (clientId === undefined) throw usage('--client-id or --thing is missing');
  return { clientId, thingName: given.text('thing') ?? clientId };
};

function fileText(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw usage(`${what}: ${(error as Error).message}`);
  }
}

/** Who connects, where to, and with what. Throws KitError `usage`. */
export async function agentOptions(given: Given, element: SecureElement): Promise<AgentOptions> {
  const [file, object, rootCa] = [given.text('certificate'), given.text('certificate-object'), given.text('root-ca')];
  if (file !== undefined && object !== undefined) throw usage('--certificate and --certificate-object exclude each other');
  const key = given.text('key') ?? element.defaultKey;
  return {
    element,
    keys: [key],
    certificate:
      file !== undefined ? { file } : object !== undefined ? { object } : { pem: await storedCertificate(element, key) },
    ...endpointOf(given.needed('endpoint')),
    clientId: idsOf(given).clientId,
    rootCa: rootCa === undefined ? undefined : fileText(rootCa, '--root-ca'),
  };
}

/** Lines of standard input, to its end. */
async function* linesOf({ ask }: Surroundings): AsyncGenerator<string> {
  for (let line = await ask(''); line !== undefined; line = await ask('')) yield line;
}

function messagesOf(given: Given, surroundings: Surroundings): Iterable<string> | AsyncIterable<string> {
  const [text, file] = [given.text('message'), given.text('message-file')];
  if (text !== undefined && file !== undefined) throw usage('--message and --message-file exclude each other');
  const message = text ?? (file === undefined ? undefined : fileText(file, '--message-file'));
  const count = given.number('count', 1, { least: 1, most: 1_000_000 });
  return message === undefined ? linesOf(surroundings) : repeated(() => message, count);
}

function objectOf(text: string, flag: string): Record<string, JsonValue> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, JsonValue>;
  } catch {
    // Said below.
  }
  throw usage(`${flag} takes a JSON object, not ${text}`);
}

/** Resolves when the user interrupts. */
export const interrupted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

const secondsOf = (given: Given, name: string, least: number): number => given.number(name, 0, { least, most: 86_400 }) * 1000;

/** Publishing, or one report: work that ends. */
function endingWork(given: Given, surroundings: Surroundings): RunWork | undefined {
  const { signal } = surroundings;
  const { thingName } = idsOf(given);
  const [topic, report] = [given.text('publish'), given.text('report')];
  if (topic === undefined && report === undefined) return undefined;
  const messages = topic === undefined ? [] : messagesOf(given, surroundings);
  const interval = secondsOf(given, 'interval', 0);
  const reported = report === undefined ? undefined : objectOf(report, '--report');
  return {
    isEnding: true,
    async run({ connection }) {
      const published =
        topic === undefined ? undefined : await publishMessages(connection, { topic, messages, interval, signal });
      if (reported === undefined) return { published };
      const shadow = await DeviceShadow.open<Record<string, JsonValue>>(connection, { thingName, onDelta: () => undefined });
      await shadow.report(reported);
      const { version, ...state } = await shadow.get();
      return { published, shadow: { version, state: state as JsonValue } };
    },
  };
}

const DOWNLOAD_LIMIT = 64 * 1024 * 1024;
const MOST_DOWNLOAD = 16 * 1024 ** 3;

/** Does jobs until it is interrupted, and says how each ended. */
async function doJobs(given: Given, { signal, say }: Surroundings, { connection }: DeviceAgent, file: string): Promise<void> {
  const { thingName } = idsOf(given);
  const rootCa = given.text('root-ca');
  const settings = {
    thingName,
    commands: readAllowedCommands(file),
    folder: given.text('download-folder'),
    maxBytes: given.number('download-limit', DOWNLOAD_LIMIT, { least: 1, most: MOST_DOWNLOAD }),
    ca: rootCa === undefined ? undefined : fileText(rootCa, '--root-ca'),
    signal,
  };
  await JobAgent.open(connection, {
    thingName,
    signal,
    perform: (execution) => performJob(connection, execution, settings),
    onEnd: (jobId, { status, details }) => say(`job ${jobId}: ${status} ${JSON.stringify(details)}`),
    onError: (error) => say(`jobs: ${(error as Error).message}`),
  });
  await interrupted(signal);
}

/** What the flags ask for. Throws KitError `usage`. */
export async function workOf(given: Given, surroundings: Surroundings): Promise<RunWork> {
  const ending = endingWork(given, surroundings);
  if (ending !== undefined) return ending;
  const { signal, clock, say } = surroundings;
  const { clientId, thingName } = idsOf(given);
  const telemetry = secondsOf(given, 'telemetry-interval', 1);
  return {
    isEnding: false,
    async run(agent) {
      const { connection } = agent;
      let published = 0;
      let board: Board | undefined;
      const parts = async (): Promise<void> => {
        const running: Promise<unknown>[] = [interrupted(signal)];
        if (telemetry > 0)
          running.push(
            publishMessages(connection, {
              topic: environmentTopic(clientId),
              messages: repeated(() => environmentMessage(simulatedEnvironment(clock.now()))),
              interval: telemetry,
              signal,
              onPublished: (count) => {
                published = count;
              },
            }),
          );
        if (given.has('board')) {
          const pressed = await Board.open(connection, thingName, (state) => say(boardLine(state)));
          board = pressed;
          running.push(listenToKeys(surroundings, (button) => pressed.press(button)));
        }
        const jobs = given.text('jobs');
        if (jobs !== undefined) running.push(doJobs(given, surroundings, agent, jobs));
        await Promise.all(running);
      };
      await Promise.race([interrupted(signal), parts()]);
      return { published, board: board === undefined ? undefined : { ...board.state } };
    },
  };
}
