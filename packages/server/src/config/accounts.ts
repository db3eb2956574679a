/**
 * Limits and rates of accounts: `accounts` in the config file, by account id, with `*` for all accounts. What an account
 * does not say is as `*` says, and then as the default.
 */
import { isObject } from '@thingkeep/wire/is-object.ts';
import { LIMITS, RATES } from '@thingkeep/wire/limits.ts';
import { ConfigError } from './settings.ts';

/** The least and the most of a whole number. */
type Range = readonly [least: number, most: number];

const MANY = 1_000_000_000;

/** Limits by name: seconds, bytes and numbers as the broker's AccountLimits has them. */
const LIMIT_RANGES = {
  sessionExpiry: [1, LIMITS.sessionExpiryMost],
  queuedMessages: [1, MANY],
  queuedBytes: [1, 1024 * MANY],
  accountQueuedMessages: [1, MANY],
  accountQueuedBytes: [1, 1024 * MANY],
  persistentSessions: [0, MANY],
  retainedMessages: [0, MANY],
  retainedBytes: [0, 1024 * MANY],
  subscriptionsPerConnection: [1, 100_000],
  filtersPerSubscribe: [1, 10_000],
  shares: [0, MANY],
  shareMembers: [1, MANY],
  inFlight: [1, LIMITS.inFlight],
  connections: [1, MANY],
} as const satisfies Readonly<Record<string, Range>>;

/** Limits of what is registered and kept. */
const REGISTRY_RANGES = {
  objectBytes: [0, 1024 * MANY],
  pendingCertificates: [0, MANY],
  pendingCertificatesOfCa: [0, MANY],
  shadows: [0, MANY],
  shadowsOfThing: [0, MANY],
} as const satisfies Readonly<Record<string, Range>>;

type LimitName = keyof typeof LIMIT_RANGES;
type RegistryLimitName = keyof typeof REGISTRY_RANGES;
type RateName = keyof typeof RATES;

/** Per second; 0 for no rate. */
const RATE_RANGE: Range = [0, MANY];

const LIMIT_NAMES = Object.keys(LIMIT_RANGES) as LimitName[];
const REGISTRY_NAMES = Object.keys(REGISTRY_RANGES) as RegistryLimitName[];
const RATE_NAMES = Object.keys(RATES) as RateName[];
const RANGES = new Map<string, Range>([
  ...Object.entries(LIMIT_RANGES),
  ...Object.entries(REGISTRY_RANGES),
  ...RATE_NAMES.map((name): [string, Range] => [name, RATE_RANGE]),
]);

/** Numbers by name: those of limits, and those of rates. */
export type AccountSettings = { readonly [K in LimitName | RegistryLimitName | RateName]?: number };
/** By account id, or `*`. */
export type Accounts = ReadonlyMap<string, AccountSettings>;

/** Reads the value of `accounts`. Fails in one line that names the place. */
export function readAccounts(value: unknown): Accounts {
  if (!isObject(value)) throw new ConfigError('accounts is not a JSON object');
  return new Map(Object.entries(value).map(([id, settings]) => [id, readAccount(id, settings)]));
}

function readAccount(id: string, given: unknown): AccountSettings {
  const place = `accounts.${id}`;
  if (id !== '*' && !/^\d{12}$/.test(id)) throw new ConfigError(`${place} is neither an account id of 12 digits nor *`);
  if (!isObject(given)) throw new ConfigError(`${place} is not a JSON object`);
  const settings: object = given;
  for (const [name, value] of Object.entries(settings)) {
    const range = RANGES.get(name);
    if (range === undefined) throw new ConfigError(`${place} has an unknown key ${name}`);
    const [least, most] = range;
    if (!Number.isSafeInteger(value) || value < least || value > most)
      throw new ConfigError(`${place}.${name} is not a whole number from ${least} to ${most}`);
  }
  return settings;
}

function only<K extends keyof AccountSettings>(names: readonly K[], settings: AccountSettings): Pick<AccountSettings, K> {
  return Object.fromEntries(names.flatMap((name) => (settings[name] === undefined ? [] : [[name, settings[name]]]))) as Pick<
    AccountSettings,
    K
  >;
}

export interface LimitsAndRates {
  /** What differs from the default limits. */
  limitsOf(accountId: string): Pick<AccountSettings, LimitName>;
  /** The same of what is registered and kept. */
  registryLimitsOf(accountId: string): Pick<AccountSettings, RegistryLimitName>;
  /** All rates that the account has. */
  ratesOf(accountId: string): Pick<AccountSettings, RateName>;
}

/** Limits and rates by account; `rateLimits` says what rates there are where nothing is said of an account. */
export function limitsAndRates(accounts: Accounts, rateLimits: 'none' | 'aws'): LimitsAndRates {
  const settingsOf = (id: string): AccountSettings => ({ ...accounts.get('*'), ...accounts.get(id) });
  return {
    limitsOf: (id) => only(LIMIT_NAMES, settingsOf(id)),
    registryLimitsOf: (id) => only(REGISTRY_NAMES, settingsOf(id)),
    ratesOf: (id) => ({ ...(rateLimits === 'aws' ? RATES : {}), ...only(RATE_NAMES, settingsOf(id)) }),
  };
}
