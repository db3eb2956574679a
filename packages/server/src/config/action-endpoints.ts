/** Where rule actions may go: services by name, each with the URLs that the operator answers for. */
import { ConfigError } from './config-error.ts';

/** Services that actions call, by the names that their requests are signed for; `kafka` by its brokers. */
export const ACTION_SERVICES = [
  'dynamodb',
  'es',
  'firehose',
  'geo',
  'iotanalytics',
  'iotevents',
  'iotsitewise',
  'kafka',
  'kinesis',
  'logs',
  'monitoring',
  's3',
  'sns',
  'sqs',
  'states',
  'timestream',
] as const;

export type ActionService = (typeof ACTION_SERVICES)[number];
/** A URL's text, a broker's `host:port`, or `aws`: the service at AWS itself. */
export type ActionEndpoints = ReadonlyMap<ActionService, readonly string[]>;

const BROKER = /^[A-Za-z0-9.-]{1,253}:\d{1,5}$/;

const isService = (name: string): name is ActionService => (ACTION_SERVICES as readonly string[]).includes(name);

/**
 * Reads `sqs=http://localhost:9324,kafka=localhost:9092`; a name may come more than once, `*` stands for all services but
 * Kafka.
 */
export function readActionEndpoints(text: string): ActionEndpoints {
  const found = new Map<ActionService, string[]>();
  const add = (service: ActionService, endpoint: string): void => {
    found.set(service, [...(found.get(service) ?? []), endpoint]);
  };
  for (const entry of text.split(',').filter((part) => part.trim() !== '')) {
    const mark = entry.indexOf('=');
    const name = entry.slice(0, mark).trim();
    const endpoint = entry.slice(mark + 1).trim();
    if (mark < 1) throw new ConfigError(`${JSON.stringify(entry)} is not SERVICE=URL`);
    if (name === '*')
      for (const service of ACTION_SERVICES.filter((each) => each !== 'kafka')) add(service, checked(service, endpoint));
    else if (isService(name)) add(name, checked(name, endpoint));
    else throw new ConfigError(`${name} is none of ${ACTION_SERVICES.join(', ')} or *`);
  }
  return found;
}

function checked(service: ActionService, endpoint: string): string {
  if (service === 'kafka') {
    if (!BROKER.test(endpoint)) throw new ConfigError(`${JSON.stringify(endpoint)} is no HOST:PORT of a Kafka broker`);
    return endpoint;
  }
  if (endpoint === 'aws') return endpoint;
  const url = URL.parse(endpoint);
  if (url === null || !/^https?:$/.test(url.protocol) || `${url.username}${url.password}${url.hash}` !== '')
    throw new ConfigError(`${JSON.stringify(endpoint)} is no http or https URL without user, password and fragment`);
  return endpoint;
}

/** Reads URLs behind commas: those that need no confirmation as destinations of rules. */
export function readUrls(text: string): readonly URL[] {
  return text
    .split(',')
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const url = URL.parse(part.trim());
      if (url === null || !/^https?:$/.test(url.protocol) || `${url.username}${url.password}${url.hash}` !== '')
        throw new ConfigError(`${JSON.stringify(part)} is no http or https URL without user, password and fragment`);
      return url;
    });
}
