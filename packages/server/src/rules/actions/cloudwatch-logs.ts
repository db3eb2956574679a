/** The cloudwatchLogs action: PutLogEvents, into a stream for each rule (developer guide, page cloudwatch-logs-rule-action). */
import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { asking } from './aws-clients.ts';
import { ActionError, type ActionType, type Order, type ParametersOf } from './contract.ts';
import { isObject, jsonOf } from './json-payload.ts';

type Logs = ParametersOf<'cloudwatchLogs'>;

interface LogEvent {
  readonly timestamp: number;
  readonly message: string;
}

/** In batch mode the result is an array of objects with `timestamp` (ms) and `message`. */
function eventsOf(order: Order<Logs>): LogEvent[] {
  const { payload, message, parameters } = order;
  if (!parameters.batchMode) return [{ timestamp: message.receivedAt, message: payload.toString('utf8') }];
  const elements = jsonOf(order);
  if (!Array.isArray(elements)) throw new ActionError('the result of the SQL is no array, which batchMode asks for', false);
  const events = elements.map((element): LogEvent => {
    const { timestamp, message: text } = isObject(element) ? element : {};
    if (typeof timestamp !== 'number' || text === undefined)
      throw new ActionError('an element of the batch lacks a timestamp or a message', false);
    return { timestamp, message: typeof text === 'string' ? text : JSON.stringify(text) };
  });
  return events.sort((a, b) => a.timestamp - b.timestamp);
}

const isFault = (error: unknown, name: string): boolean => error instanceof Error && error.name === name;

async function put(client: CloudWatchLogsClient, order: Order<Logs>, abortSignal: AbortSignal): Promise<void> {
  const { CreateLogStreamCommand, PutLogEventsCommand } = await import('@aws-sdk/client-cloudwatch-logs');
  const name = { logGroupName: order.parameters.logGroupName, logStreamName: order.ruleName };
  const events = new PutLogEventsCommand({ ...name, logEvents: eventsOf(order) });
  try {
    await client.send(events, { abortSignal });
  } catch (error) {
    if (!isFault(error, 'ResourceNotFoundException')) throw error;
    // The group is the owner's to make; the stream comes with the first event.
    await client.send(new CreateLogStreamCommand(name), { abortSignal }).catch((fault: unknown) => {
      if (!isFault(fault, 'ResourceAlreadyExistsException')) throw fault;
    });
    await client.send(events, { abortSignal });
  }
}

export const cloudwatchLogs: ActionType<Logs> = {
  name: 'CloudwatchLogsAction',
  resource: ({ logGroupName = '' }) => logGroupName,
  run: ([order], { aws, place, signal }) =>
    asking(async () => {
      const { CloudWatchLogsClient: Client } = await import('@aws-sdk/client-cloudwatch-logs');
      await put(
        aws.client(place, 'logs', (config) => new Client(config)),
        order,
        signal,
      );
    }),
};
