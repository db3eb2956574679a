/** `thingkeep accounts`: lists the accounts of an installation, makes them, and shows or renews their root keys. */
import { readConfig, readFlags } from '../config/config.ts';
import { type DataFolder, openDataFolder } from '../config/data-folder.ts';
import { readEnvironment } from '../config/env.ts';
import { RootKeys } from '../config/root-keys.ts';
import { type AccessKeyRecord, renderProfiles } from '../config/secrets.ts';
import { ConfigError } from '../config/settings.ts';
import { ask, openServer } from './ask-server.ts';
import { isRunning } from './running-server.ts';

const EXTRA = new Set(['profile', 'new', 'json']);
const USAGE = 'thingkeep accounts list | create [ID] [--profile NAME] | keys ID [--new]';

interface Asked {
  readonly folder: DataFolder;
  readonly keys: RootKeys;
  /** The account of the first access key. */
  readonly home: string;
  readonly accountId: string | undefined;
  readonly profile: string | undefined;
  readonly renews: boolean;
  readonly json: boolean;
}

/** Has the running server read the keys again; where none runs, the next start does. */
async function tellServer({ folder, home }: Asked, server: ReturnType<typeof openServer> | undefined): Promise<void> {
  if (server === undefined) return;
  await ask(server, 'POST', '/admin/root-keys/reload').catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(
      `the keys of ${folder.path} (account ${home}) were written, but the running server did not take them: ${why}`,
    );
  });
}

const show = ({ json }: Asked, keys: readonly AccessKeyRecord[]): void =>
  void process.stdout.write(json ? `${JSON.stringify(keys)}\n` : renderProfiles(keys));

const idOf = ({ accountId }: Asked): string => {
  if (accountId === undefined) throw new ConfigError(`an account id is missing: ${USAGE}`);
  return accountId;
};

const ACTIONS: Readonly<Record<string, (asked: Asked) => Promise<void>>> = {
  async list({ keys, json }) {
    const listed = keys.values().map(({ accountId, profile, accessKeyId }) => ({ accountId, profile, accessKeyId }));
    if (json) process.stdout.write(`${JSON.stringify(listed)}\n`);
    else for (const key of listed) process.stdout.write(`${key.accountId}  ${key.accessKeyId}  ${key.profile}\n`);
  },

  async create(asked) {
    // The running server is asked with a key of before: it knows no other.
    const server = isRunning(asked.folder) ? openServer(asked.folder, asked.home) : undefined;
    const key = asked.keys.create(asked.accountId, asked.profile);
    await tellServer(asked, server);
    show(asked, [key]);
  },

  async keys(asked) {
    const accountId = idOf(asked);
    if (!asked.renews) {
      const keys = asked.keys.of(accountId);
      if (keys.length === 0)
        throw new ConfigError(`there is no account ${accountId}; thingkeep accounts list names those that are there`);
      return show(asked, keys);
    }
    if (asked.keys.of(accountId).length === 0 && asked.keys.values().length > 0)
      throw new ConfigError(`there is no account ${accountId}; thingkeep accounts create ${accountId} makes it`);
    const server = isRunning(asked.folder) ? openServer(asked.folder, asked.home) : undefined;
    const key = asked.keys.renew(accountId);
    await tellServer(asked, server);
    show(asked, [key]);
  },
};

export async function accounts(args: readonly string[]): Promise<number> {
  const [name = '', ...rest] = args;
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined)
    throw new ConfigError(
      `${name === '' || name.startsWith('--') ? 'an action is missing' : `unknown action ${name}`}: ${USAGE}`,
    );
  const id = rest[0]?.startsWith('--') === false ? rest[0] : undefined;
  const given = (id === undefined ? rest : rest.slice(1)).map((arg) =>
    arg === '--new' || arg === '--json' ? `${arg}=true` : arg,
  );
  const flags = readFlags(given, EXTRA);
  const config = readConfig(new Map([...flags].filter(([flag]) => !EXTRA.has(flag))), readEnvironment());
  const accountId = id ?? flags.get('account-id');
  if (accountId !== undefined && !/^\d{12}$/.test(accountId))
    throw new ConfigError(`${JSON.stringify(accountId)} is not an account id of 12 digits`);
  process.umask(0o077);
  const folder = openDataFolder(config.dataDir);
  await action({
    folder,
    keys: new RootKeys(folder.rootKeys),
    home: config.accountId,
    accountId,
    profile: flags.get('profile'),
    renews: flags.has('new'),
    json: flags.has('json'),
  });
  return 0;
}
