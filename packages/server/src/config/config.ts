/** Flags, environment and config file into one frozen configuration; flags win over the environment, it over the file. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf } from '@thingkeep/wire/errors.ts';
import { type Accounts, readAccounts } from './accounts.ts';
import type { Environment } from './env.ts';
import { checkTrustedFile } from './private-file.ts';
import { ConfigError, type Setting, SETTINGS, type SettingValues, variableOf } from './settings.ts';

export type Config = SettingValues & {
  /** The first of `endpoints`: the host name that devices get. */
  readonly endpoint: string;
  /** Limits and rates of accounts: in the config file alone. */
  readonly accounts: Accounts;
};

interface ConfigFile {
  readonly values: ReadonlyMap<string, string>;
  readonly accounts: Accounts;
}

/** Flags of earlier releases. */
const RETIRED: ReadonlyMap<string, string> = new Map([
  ['function-user', 'functions run under bubblewrap, without user ids of their own; take the flag away'],
]);

const NO_FILE: ConfigFile = { values: new Map(), accounts: new Map() };

const BY_FLAG = new Map(Object.values(SETTINGS).map((setting) => [setting.flag, setting as Setting<unknown>]));

/**
 * `--flag VALUE`, `--flag=VALUE` and bare `--flag` by name, those that were repeated with commas; `extra` names flags beyond
 * the settings.
 */
export function readFlags(args: readonly string[], extra: ReadonlySet<string> = new Set()): Map<string, string> {
  const flags = new Map<string, string>();
  for (let i = 0; i < args.length; i += 1) {
    const arg = args[i] ?? '';
    const [, name = '', inline] = /^--([a-z-]+)(?:=(.*))?$/s.exec(arg) ?? [];
    const retired = RETIRED.get(name);
    if (retired !== undefined) throw new ConfigError(`--${name} is gone: ${retired}`);
    if (!BY_FLAG.has(name) && name !== 'config' && !extra.has(name)) throw new ConfigError(`unknown argument ${arg}`);
    const before = flags.get(name);
    if (before !== undefined && BY_FLAG.get(name)?.list !== true) throw new ConfigError(`--${name} is given twice`);
    const bare = BY_FLAG.has(name) && BY_FLAG.get(name)?.value === undefined;
    const value = inline ?? (bare ? 'true' : args[++i]);
    if (value === undefined || (inline === undefined && !bare && value.startsWith('--')))
      throw new ConfigError(`--${name} needs a value`);
    flags.set(name, before === undefined ? value : `${before},${value}`);
  }
  return flags;
}

function readFile(path: string): ConfigFile {
  let parsed: unknown;
  checkTrustedFile('config file', path);
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new ConfigError(`config file ${path} can't be read: ${messageOf(error)}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new ConfigError(`config file ${path} is not a JSON object`);
  const values = new Map<string, string>();
  let accounts: Accounts = NO_FILE.accounts;
  for (const [key, value] of Object.entries(parsed)) {
    if (key === 'accounts') {
      accounts = inFile(path, () => readAccounts(value));
      continue;
    }
    if (!BY_FLAG.has(key)) throw new ConfigError(`config file ${path} has an unknown key ${key}`);
    if (Array.isArray(value) && BY_FLAG.get(key)?.list === true && value.every((entry) => typeof entry === 'string')) {
      values.set(key, value.join(','));
      continue;
    }
    if (typeof value === 'object') throw new ConfigError(`config file ${path}: ${key} is not a text, number or truth value`);
    values.set(key, String(value));
  }
  return { values, accounts };
}

/** What `read` gives; an error of its names the file. */
function inFile<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError(`config file ${path}: ${error.message}`) : error;
  }
}

/** Reads one setting from the first source that has it; an error names the source. */
function pick<T>(
  setting: Setting<T>,
  flags: ReadonlyMap<string, string>,
  environment: Environment,
  file: ReadonlyMap<string, string>,
): T {
  const variable = variableOf(setting.flag);
  const sources: [name: string, value: string | undefined][] = [
    [`--${setting.flag}`, flags.get(setting.flag)],
    [variable, environment.settings.get(variable)],
    [`config key ${setting.flag}`, file.get(setting.flag)],
  ];
  for (const [name, value] of sources) {
    if (value === undefined) continue;
    try {
      return setting.read(value);
    } catch (error) {
      throw error instanceof ConfigError ? new ConfigError(`${name}: ${error.message}`) : error;
    }
  }
  return setting.fallback;
}

export function readConfig(flags: ReadonlyMap<string, string>, environment: Environment): Config {
  const path = flags.get('config') ?? environment.settings.get('THINGKEEP_CONFIG');
  const { values: file, accounts } = path === undefined ? NO_FILE : readFile(path);
  const entries = Object.entries(SETTINGS).map(([name, setting]) => [
    name,
    pick(setting as Setting<unknown>, flags, environment, file),
  ]);
  const config = Object.fromEntries(entries) as SettingValues;
  if ((config.serverCertificate === '') !== (config.serverKey === ''))
    throw new ConfigError('--server-certificate and --server-key come together');
  for (const [flag, file] of [
    ['--server-certificate', config.serverCertificate],
    ['--server-key', config.serverKey],
    ['--action-credentials', config.actionCredentials],
    ['--function-python', config.functionPython],
  ] as const)
    if (file !== '') checkTrustedFile(`${flag}: file`, file);
  const ports = [config.apiPort, config.mqttPort, config.httpsPort].filter((port) => port !== 0);
  if (new Set(ports).size !== ports.length) throw new ConfigError('--api-port, --mqtt-port and --https-port must differ');
  const [endpoint = 'localhost'] = config.endpoints;
  return Object.freeze({ ...config, endpoint, dataDir: resolve(config.dataDir), accounts });
}

/** Characters of the first column of the help. */
const NAME_COLUMN = 26;

/** Help on the settings, a line each; a fallback where it is a word, a number or a list. */
export const settingsHelp = (): string =>
  Object.values(SETTINGS)
    .map(({ flag, value, help, fallback }) => {
      const plain = typeof fallback === 'string' || typeof fallback === 'number' || Array.isArray(fallback);
      const shown = !plain || String(fallback) === '' ? '' : ` (${fallback})`;
      const name = `--${flag}${value === undefined ? '' : ` ${value}`}`;
      // A name that is wider than its column has a line of its own.
      const gap = name.length > NAME_COLUMN ? `\n${' '.repeat(NAME_COLUMN + 3)}` : ' ';
      return `  ${name.padEnd(NAME_COLUMN)}${gap}${help}${shown}`;
    })
    .join('\n');
