/** The cloudwatchLogs action: PutLogEvents, into a stream for each rule (developer guide, page cloudwatch-logs-rule-action). */
import { isObject } from '@thingkeep/wire/is-object.ts';
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { Place } from '@thingkeep/wire/arn.ts';
import { asking } from './aws-clients.ts';
import { ActionError } from './action-error.ts';
import type { ActionTools, ActionType, Order, ParametersOf } from './contract.ts';
import { jsonOf } from './json-payload.ts';
import { serviceArn } from './role.ts';

type Logs = ParametersOf<'cloudwatchLogs'>;

interface LogEventInput {
  readonly timestamp: number;
  readonly message: string;
}

/** In batch mode the result is an array of objects with `timestamp` (ms) and `message`. */
function eventsOf(order: Order<Logs>): LogEventInput[] {
  const { payload, message, parameters } = order;
  if (!parameters.batchMode) return [{ timestamp: message.receivedAt, message: payload.toString('utf8') }];
  const elements = jsonOf(order);
  if (!Array.isArray(elements)) throw new ActionError('the result of the SQL is no array, which batchMode asks for', false);
  const events = elements.map((element): LogEventInput => {
    const { timestamp, message: text } = isObject(element) ? element : {};
    if (typeof timestamp !== 'number' || text === undefined)
      throw new ActionError('an element of the batch lacks a timestamp or a message', false);
    return { timestamp, message: typeof text === 'string' ? text : JSON.stringify(text) };
  });
  return events.sort((a, b) => a.timestamp - b.timestamp);
}

const isFault = (error: unknown, name: string): boolean => error instanceof Error && error.name === name;

/** The stream that a rule writes to, as permissions on it are asked. */
const streamArn = ({ parameters, ruleName }: Order<Logs>, place: Place): string =>
  serviceArn('logs', place, 'log-group:', `${parameters.logGroupName}:log-stream:${ruleName}`);

async function put(
  client: CloudWatchLogsClient,
  order: Order<Logs>,
  { place, role, signal: abortSignal }: ActionTools,
): Promise<void> {
  const { CreateLogStreamCommand, PutLogEventsCommand } = await import('@aws-sdk/client-cloudwatch-logs');
  const name = { logGroupName: order.parameters.logGroupName, logStreamName: order.ruleName };
  const events = new PutLogEventsCommand({ ...name, logEvents: eventsOf(order) });
  try {
    await client.send(events, { abortSignal });
  } catch (error) {
    if (!isFault(error, 'ResourceNotFoundException')) throw error;
    // The group is the owner's to make; the stream comes with the first event.
    await role.must({ action: 'logs:CreateLogStream', resource: streamArn(order, place) });
    await client.send(new CreateLogStreamCommand(name), { abortSignal }).catch((fault: unknown) => {
      if (!isFault(fault, 'ResourceAlreadyExistsException')) throw fault;
    });
    await client.send(events, { abortSignal });
  }
}

export const cloudwatchLogs: ActionType<Logs> = {
  name: 'CloudwatchLogsAction',
  resource: ({ logGroupName = '' }) => logGroupName,
  permissions: (order, place) => [{ action: 'logs:PutLogEvents', resource: streamArn(order, place) }],
  run: ([order], tools) =>
    asking(async () => {
      const { CloudWatchLogsClient: Client } = await import('@aws-sdk/client-cloudwatch-logs');
      await put(
        tools.aws.client(tools, 'logs', (config) => new Client(config)),
        order,
        tools,
      );
    }),
};
