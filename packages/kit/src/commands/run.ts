/** `thingkit run`: the device agent, with the key in an element. */
import { AgentError, type AgentErrorReason } from '../agent/agent-error.ts';
import { startAgent } from '../agent/agent.ts';
import type { ConnectionEvent } from '../agent/device-connection.ts';
import type { Command, CommandResult, ExitReason, Given, Surroundings } from './command.ts';
import { KitError } from './command.ts';
import { ELEMENT_FLAGS, elementOf, KEY_FLAG } from './element-flag.ts';
import { agentOptions, interrupted, RUN_FLAGS, workOf } from './run-work.ts';

const REASONS: Readonly<Record<AgentErrorReason, ExitReason>> = {
  connection: 'unreachable',
  refused: 'service',
  timeout: 'service',
  content: 'failed',
  'missing-library': 'failed',
};

function eventLine(event: ConnectionEvent): string {
  if (event.kind === 'connected') return 'connected';
  if (event.kind === 'not-granted') return `the service does not grant the subscription to ${event.filter}`;
  if (event.kind === 'lost') return `connection lost: ${event.reason}`;
  return `no connection: ${event.reason}${event.hint === undefined ? '' : `\n  ${event.hint}`}`;
}

async function runAgent(given: Given, surroundings: Surroundings): Promise<CommandResult> {
  const work = await workOf(given, surroundings);
  await using element = await elementOf(given, surroundings);
  const options = await agentOptions(given, element);
  const seconds = given.number('connect-timeout', work.isEnding ? 60 : 0, { least: 0, most: 86_400 });
  const on = (event: ConnectionEvent): void => surroundings.say(eventLine(event));
  await using agent = await startAgent({ ...options, on });
  const { signal } = surroundings;
  await agent.connection.connected({ milliseconds: seconds === 0 ? undefined : seconds * 1000, signal });
  const ending = interrupted(signal).then(() => {
    throw new KitError('failed', 'interrupted before everything was done');
  });
  ending.catch(() => undefined);
  const running = work.run(agent, options);
  const data = await (work.isEnding ? Promise.race([running, ending]) : running);
  return { data: { clientId: options.clientId, key: agent.credentials.keyName, ...data }, text: '' };
}

export const runCommand: Command = {
  name: 'run',
  summary: 'Run the device agent: connect with the key in the element, and do what the flags say.',
  flags: [...ELEMENT_FLAGS, KEY_FLAG, ...RUN_FLAGS],
  examples: [
    'thingkit run --element file:device.key --certificate device.crt --root-ca root-ca.pem --endpoint localhost:8883 --client-id device-1 --board',
    'thingkit run --element file:device.key --certificate device.crt --root-ca root-ca.pem --endpoint localhost --client-id device-1 --publish hello --message "hello" --count 3',
  ],
  async run(given, surroundings) {
    try {
      return await runAgent(given, surroundings);
    } catch (error) {
      if (error instanceof AgentError)
        throw new KitError(REASONS[error.reason], error.message, { hint: error.hint, cause: error });
      throw error;
    }
  },
};
