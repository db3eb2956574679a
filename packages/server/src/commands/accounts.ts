/**
 * `thingkeep accounts`: lists the accounts of an installation, makes them, and shows or renews their root keys. A running
 * server makes the change itself; else the command does, with a line in the audit log.
 */
import { AuditLog } from '../audit/audit-log.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import type { DataFolder } from '../config/data-folder.ts';
import { openRootKeys, RootKeys } from '../config/root-keys.ts';
import { type ProfileKey, renderProfiles } from '../config/secrets.ts';
import { openInstallation } from '../installation/installation.ts';
import { systemClock } from '../runtime/clock.ts';
import { escapeText } from '../runtime/escape-text.ts';
import { openLog } from '../runtime/log.ts';
import { mark } from '../store/marks.ts';
import { ask, openServer } from './ask-server.ts';
import { readCommandLine } from './flags.ts';
import { isRunning } from './running-server.ts';
import { openFolder, openStored } from './stored.ts';

const OWN_FLAGS = { switches: ['new', 'json'], values: ['profile'] };
const USAGE = 'thingkeep accounts list | create [ID] [--profile NAME] | keys ID [--new]';

interface AccountsCommand {
  readonly folder: DataFolder;
  readonly config: Config;
  readonly accountId: string | undefined;
  readonly profile: string | undefined;
  readonly renews: boolean;
  readonly json: boolean;
}

/** A change of the root keys, as the running server's administrative API and the audit log name it. */
interface KeyChange {
  readonly path: '/admin/accounts' | '/admin/root-keys';
  readonly operation: 'PostAccounts' | 'PostRootKeys';
  readonly make: (keys: RootKeys) => ProfileKey;
}

async function changeOffline(
  { folder, config, accountId }: AccountsCommand,
  { operation, make }: KeyChange,
): Promise<ProfileKey> {
  await using store = await openStored(folder, config);
  const log = openLog('warn');
  const installation = await openInstallation({ folder, store, acceptLoss: config.acceptLoss, log });
  const options = { folder: folder.audit, store, clock: systemClock, log, keptBytes: config.auditKeep };
  await using audit = await AuditLog.open(options);
  const wereMade = installation.hasRootKeys;
  const onMoved = (what: string): void => void process.stderr.write(`${escapeText(what)}\n`);
  // A new key is what helps where the file is lost.
  const keys =
    wereMade && operation === 'PostRootKeys'
      ? new RootKeys(folder.rootKeys, installation.id)
      : openRootKeys({ folder, accountId: config.accountId, installation: installation.id, wereMade, onMoved });
  await mark(store, 'root-keys');
  const end = audit.begin({ principal: 'operator', sourceIp: 'local', operation, input: { 'account-id': accountId } });
  try {
    const key = make(keys);
    end({ result: 'OK' });
    return key;
  } catch (error) {
    end({ result: error instanceof Error ? error.name : 'Error' });
    throw error;
  }
}

async function change(asked: AccountsCommand, what: KeyChange): Promise<void> {
  const { folder, config, accountId, profile, json } = asked;
  const query = new URLSearchParams(
    Object.entries({ 'account-id': accountId, profile }).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
  const key = isRunning(folder)
    ? await ask<ProfileKey>(openServer(folder, config.accountId), 'POST', `${what.path}?${query}`)
    : await changeOffline(asked, what);
  show(json, [key]);
  process.stderr.write(
    `This is a profile for an AWS credentials file. ${folder.credentials} is a copy and stays as it is: put the profile there, or remove the file and restart the server.\n`,
  );
}

const show = (json: boolean, keys: readonly ProfileKey[]): void =>
  void process.stdout.write(json ? `${JSON.stringify(keys)}\n` : renderProfiles(keys));

/** The keys that there are. */
function present({ folder }: AccountsCommand): RootKeys {
  const keys = new RootKeys(folder.rootKeys);
  if (keys.values().length === 0)
    throw new ConfigError(`${folder.path} holds no root keys: the first start of the server makes one`);
  return keys;
}

const ACTIONS: Readonly<Record<string, (asked: AccountsCommand) => Promise<void>>> = {
  async list(asked) {
    const keys = present(asked).values();
    const listed = keys.map(({ accountId, profile, accessKeyId }) => ({ accountId, profile, accessKeyId }));
    if (asked.json) process.stdout.write(`${JSON.stringify(listed)}\n`);
    else
      for (const key of listed) process.stdout.write(`${escapeText(`${key.accountId}  ${key.accessKeyId}  ${key.profile}`)}\n`);
  },

  create: (asked) =>
    change(asked, {
      path: '/admin/accounts',
      operation: 'PostAccounts',
      make: (keys) => keys.create(asked.accountId, asked.profile),
    }),

  async keys(asked) {
    const { accountId } = asked;
    if (accountId === undefined) throw new ConfigError(`an account id is missing: ${USAGE}`);
    if (asked.renews)
      return change(asked, { path: '/admin/root-keys', operation: 'PostRootKeys', make: (keys) => keys.renew(accountId) });
    const keys = present(asked).of(accountId);
    if (keys.length === 0)
      throw new ConfigError(`there is no account ${accountId}; thingkeep accounts list names those that are there`);
    return show(asked.json, keys);
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
  const { flags, config } = readCommandLine(id === undefined ? rest : rest.slice(1), OWN_FLAGS);
  const accountId = id ?? flags.get('account-id');
  if (accountId !== undefined && !/^\d{12}$/.test(accountId))
    throw new ConfigError(`${JSON.stringify(accountId)} is not an account id of 12 digits`);
  await action({
    folder: openFolder(config, name === 'create'),
    config,
    accountId,
    profile: flags.get('profile'),
    renews: flags.has('new'),
    json: flags.has('json'),
  });
  return 0;
}
