/** Every setting in one table: flag, environment variable, key of the config file, and how its text is read. */

import { type ActionEndpoints, readActionEndpoints, readUrls } from './action-endpoints.ts';
import { type AllowedEntry, readAllowed } from '../outgoing/allowed.ts';
import { ConfigError } from './config-error.ts';

export { ConfigError } from './config-error.ts';

export interface Setting<T> {
  /** Flag without dashes; the config file's key is the same. */
  readonly flag: string;
  /** What stands behind the flag; absent when it takes no value. */
  readonly value?: string;
  readonly help: string;
  /** The flag may be repeated, the variable has commas, the config file's key an array; `read` gets a text with commas. */
  readonly list?: true;
  readonly read: (text: string) => T;
  readonly fallback: T;
}

const text = (value: string): string => value;

function port(value: string): number {
  const number = Number(value);
  if (!/^\d{1,5}$/.test(value) || number > 65_535) throw new ConfigError(`${value} is not a port (0 to 65535)`);
  return number;
}

function processes(value: string): number {
  const number = Number(value);
  if (!/^[1-9]\d{0,2}$/.test(value) || number > 100)
    throw new ConfigError(`${JSON.stringify(value)} is not a number from 1 to 100`);
  return number;
}

function connections(value: string): number | undefined {
  const number = Number(value);
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new ConfigError(`${JSON.stringify(value)} is not a number from 1 to 999999999`);
  return number;
}

/** An address and a port; a port alone is one of 127.0.0.1. */
export interface SocketAddress {
  readonly host: string;
  readonly port: number;
}

function socketAddress(value: string): SocketAddress {
  const [, bracketed, plain, digits = ''] = /^(?:(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+|localhost)):)?(\d{1,5})$/.exec(value) ?? [];
  if (digits === '')
    throw new ConfigError(`${JSON.stringify(value)} is not an address and a port, as 127.0.0.1:9464 or [::1]:9464`);
  return { host: bracketed ?? plain ?? '127.0.0.1', port: port(digits) };
}

const wholeNumber =
  (least: number, most: number) =>
  (value: string): number => {
    const number = Number(value);
    if (!/^\d{1,16}$/.test(value) || number < least || number > most)
      throw new ConfigError(`${JSON.stringify(value)} is not a whole number from ${least} to ${most}`);
    return number;
  };

const oneOf =
  <T extends string>(...names: readonly T[]) =>
  (value: string): T => {
    const found = names.find((name) => name === value);
    if (found === undefined) throw new ConfigError(`${value} is none of ${names.join(', ')}`);
    return found;
  };

const matching =
  (pattern: RegExp, what: string) =>
  (value: string): string => {
    if (!pattern.test(value)) throw new ConfigError(`${JSON.stringify(value)} is not ${what}`);
    return value;
  };

const truth = (value: string): boolean => oneOf('true', 'false')(value) === 'true';

function httpUrl(value: string): URL | undefined {
  const url = URL.parse(value);
  if (url === null || !/^https?:$/.test(url.protocol) || `${url.username}${url.password}${url.search}${url.hash}` !== '')
    throw new ConfigError(`${JSON.stringify(value)} is no http or https URL without user, password, query and fragment`);
  return url;
}

function readAllowedEntry(value: string): AllowedEntry {
  const entry = readAllowed(value);
  if (entry === undefined)
    throw new ConfigError(`${JSON.stringify(value)} is no host name, address or range (CIDR), alone or with :PORT`);
  return entry;
}

const later = (what: string) => (): string => {
  throw new ConfigError(`${what} is not available in this version`);
};

const setting = <T>(
  flag: string,
  value: string | undefined,
  help: string,
  read: (text: string) => T,
  fallback: T,
): Setting<T> => ({
  flag,
  value,
  help,
  read,
  fallback,
});

/** Entries behind commas, each read by itself. */
const each =
  <T>(read: (text: string) => T) =>
  (value: string): readonly T[] =>
    value
      .split(',')
      .filter((part) => part.trim() !== '')
      .map((part) => read(part.trim()));

/** At least one entry. */
const some =
  <T>(read: (text: string) => readonly T[]) =>
  (value: string): readonly T[] => {
    const found = read(value);
    if (found.length === 0) throw new ConfigError('it names nothing');
    return found;
  };

const listSetting = <T>(
  flag: string,
  value: string,
  help: string,
  read: (text: string) => readonly T[],
  fallback: readonly T[],
): Setting<readonly T[]> => ({ ...setting(flag, value, help, read, fallback), list: true });

const HOST_NAME = /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;

export const SETTINGS = {
  dataDir: setting('data-dir', 'DIR', 'folder of keys, certificates and the data file', text, './data'),
  bind: setting(
    'bind',
    'ADDRESS',
    'address to listen on',
    matching(/^[0-9A-Fa-f:.]+$|^localhost$/, 'an IP address'),
    '127.0.0.1',
  ),
  apiPort: setting('api-port', 'PORT', 'AWS API, over HTTP unless --api-tls is given', port, 4680),
  mqttPort: setting('mqtt-port', 'PORT', 'MQTT over mutual TLS', port, 8883),
  httpsPort: setting('https-port', 'PORT', 'HTTPS for devices, and MQTT by ALPN', port, 8443),
  metricsBind: setting<SocketAddress | undefined>(
    'metrics-bind',
    'ADDRESS:PORT',
    'where metrics are served, at /metrics; nowhere unless given',
    socketAddress,
    undefined,
  ),
  metricsTenants: setting(
    'metrics-tenants',
    undefined,
    'name accounts, regions, rules and fleet metrics in the metrics',
    truth,
    false,
  ),
  endpoints: listSetting(
    'endpoint',
    'HOST',
    'host name that devices use; may come more than once: the first is what devices get, all are names of the server',
    some(each(matching(HOST_NAME, 'a host name'))),
    ['localhost'],
  ),
  region: setting('region', 'REGION', 'AWS region to be', matching(/^[a-z]{2}(-[a-z]+){1,3}-\d{1,2}$/, 'a region'), 'us-east-1'),
  accountId: setting(
    'account-id',
    'ID',
    'account of the first access key',
    matching(/^\d{12}$/, 'an account id of 12 digits'),
    '000000000000',
  ),
  apiTls: setting('api-tls', undefined, 'serve the API over HTTPS', truth, false),
  serverCertificate: setting(
    'server-certificate',
    'FILE',
    "your own server certificate chain, PEM, instead of the server's own of that kind of key",
    text,
    '',
  ),
  serverKey: setting('server-key', 'FILE', 'the key of --server-certificate, PEM', text, ''),
  logLevel: setting(
    'log-level',
    'LEVEL',
    'debug, info, warn, error or silent',
    oneOf('debug', 'info', 'warn', 'error', 'silent'),
    'info' as const,
  ),
  lambdaEndpoint: setting(
    'lambda-endpoint',
    'URL',
    "where Lambda functions of custom authorizers are invoked: the base URL of Lambda's API",
    httpUrl,
    undefined,
  ),
  actionEndpoints: setting<ActionEndpoints>(
    'action-endpoints',
    'SERVICE=URL,...',
    'where rule actions find a service: sqs=http://localhost:9324,kafka=localhost:9092; *=URL for all; aws for AWS itself',
    readActionEndpoints,
    new Map(),
  ),
  actionCredentials: setting(
    'action-credentials',
    'FILE',
    'AWS credentials file for --action-endpoints, a profile for each service or `default`; without it the credentials of roles sign',
    text,
    '',
  ),
  httpDestinations: setting<readonly URL[]>(
    'http-destinations',
    'URL,...',
    'URLs that rules may post to, and below, without a confirmation by their owner',
    readUrls,
    [],
  ),
  outgoingAllow: listSetting(
    'outgoing-allow',
    'HOST[:PORT]|CIDR[:PORT]',
    'what URLs of rules, authorizers and functions may reach besides the internet; may come more than once',
    each(readAllowedEntry),
    [],
  ),
  user: setting('user', 'NAME', 'who the server becomes once it is started as root; empty: it stays root', text, ''),
  functionNetwork: setting(
    'function-network',
    'api|open',
    'what hosted functions reach: the API alone, or by passt all that this machine reaches but loopback and 169.254/16',
    oneOf('api', 'open'),
    'api' as const,
  ),
  functionConcurrency: setting(
    'function-concurrency',
    'NUMBER',
    'processes of hosted functions at a time, 1 to 100',
    processes,
    32,
  ),
  functionPython: setting(
    'function-python',
    'FILE',
    "the Python that runs hosted functions, instead of the system's python3",
    text,
    '',
  ),
  allowUnconfinedFunctions: setting(
    'allow-unconfined-functions',
    undefined,
    "run hosted functions with all of the server's own rights: for one tenant in a container that is the sandbox",
    truth,
    false,
  ),
  damagedLog: setting(
    'damaged-log',
    'refuse|recover',
    'what a start does with a write-ahead log in which something acknowledged is damaged: refuse, or go on without it',
    oneOf('refuse', 'recover'),
    'refuse' as const,
  ),
  diskFloor: setting(
    'disk-floor',
    'BYTES',
    'bytes of the file system that stay free: below, nothing more is taken that has to be kept; by default 2 %, 512 MiB at most',
    wholeNumber(0, 2 ** 50) as (text: string) => number | undefined,
    undefined,
  ),
  auditKeep: setting(
    'audit-keep',
    'BYTES',
    'bytes of the audit log that are kept, 64 MiB at least; the oldest lines go first',
    wholeNumber(64 * 1024 * 1024, 2 ** 50),
    1024 * 1024 * 1024,
  ),
  acceptLoss: listSetting(
    'accept-loss',
    'PART:ID',
    'start although a part of the data folder is lost or of another installation, as the refusal names it; may come more than once',
    each(matching(/^(data-file|ca|root-keys|audit|functions):([0-9a-f-]{36}|unnamed)$/, 'a part and an installation, as ca:ID')),
    [],
  ),
  rateLimits: setting('rate-limits', 'none|aws', "rates to keep: none, or AWS's", oneOf('none', 'aws'), 'none' as const),
  maxConnections: setting(
    'max-connections',
    'NUMBER',
    'connections to serve at a time, all ports together; by default what the limit of open files leaves room for',
    connections,
    undefined,
  ),
  databaseUrl: setting(
    'database-url',
    'URL',
    'PostgreSQL instead of the embedded store (not available yet)',
    later('--database-url'),
    '',
  ),
  natsUrl: setting('nats-url', 'URL', 'NATS between nodes (not available yet)', later('--nats-url'), ''),
};

type Settings = typeof SETTINGS;
/** What the settings are set to. */
export type SettingValues = { readonly [K in keyof Settings]: Settings[K] extends Setting<infer T> ? T : never };

export const variableOf = (flag: string): string => `THINGKEEP_${flag.replaceAll('-', '_').toUpperCase()}`;
