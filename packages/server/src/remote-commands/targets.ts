/** Targets of commands: a thing of the registry, or a client by its id (page iot-remote-command-execution-start-monitor). */
import { nameInPlace, type Place } from '@thingkeep/wire/arn.ts';
import { LIMITS } from '@thingkeep/wire/limits.ts';
import { topicFault } from '@thingkeep/wire/topics.ts';
import { invalid } from './invalid.ts';

export interface CommandTarget {
  readonly kind: 'things' | 'clients';
  readonly name: string;
}

export function targetOf(place: Place, targetArn: string): CommandTarget {
  const [thing, client] = [nameInPlace(targetArn, place, 'thing'), nameInPlace(targetArn, place, 'client')];
  const name = thing ?? client;
  // What has a slash or a wildcard in it has no topic of its own.
  if (name === undefined || name.includes('/') || topicFault(name) !== undefined || Buffer.byteLength(name) > LIMITS.clientId)
    return invalid(`The target ${targetArn} is not a thing or a client of this account and region`);
  return { kind: thing === undefined ? 'clients' : 'things', name };
}

/** What the topics of an execution begin with. */
export const executionTopic = ({ kind, name }: CommandTarget, executionId: string): string =>
  `$aws/commands/${kind}/${name}/executions/${executionId}`;
