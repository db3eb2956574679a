/**
 * Access keys of the accounts' roots: `root-keys.json` of the data folder, which the server alone writes and reads. The
 * file `credentials` beside it is a copy for clients: `aws configure` writes into it, so nothing is read from there.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fail } from '@thingkeep/wire/errors.ts';
import { sealJson, unsealJson } from '../runtime/sealed-json.ts';
import { ConfigError, FileWriteError } from './config-error.ts';
import type { DataFolder } from './data-folder.ts';
import { writePrivateFile } from './private-file.ts';
import { type ProfileKey, readAccessKeys, renderProfiles } from './secrets.ts';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** A file of this form has a checksum; one of form 1 had none. */
const FORM = 2;
const PROFILE = /^[A-Za-z0-9_.@+-]{1,64}$/;

/** A fresh key: AKIA and 16 letters or digits, and 30 random bytes in base64, in the form of AWS's own. */
const makeKey = (accountId: string, profile: string): ProfileKey => ({
  profile,
  accessKeyId: `AKIA${[...randomBytes(16)].map((byte) => BASE32[byte & 31]).join('')}`,
  secretAccessKey: randomBytes(30).toString('base64'),
  accountId,
});

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

function readKey(value: unknown): ProfileKey | undefined {
  const { profile, accessKeyId, secretAccessKey, accountId } = (value ?? {}) as Record<string, unknown>;
  if (!isText(profile) || !isText(accessKeyId) || !isText(secretAccessKey) || !isText(accountId)) return undefined;
  return /^\d{12}$/.test(accountId) ? { profile, accessKeyId, secretAccessKey, accountId } : undefined;
}

interface RootKeyFile {
  /** Id of the installation that the keys are of; form 1 had none. */
  readonly installation: string | undefined;
  readonly keys: readonly ProfileKey[];
}

/** The members of either form; undefined for a damaged text. */
function readMembers(text: string): Readonly<Record<string, unknown>> | undefined {
  const sealed = unsealJson(text);
  if (sealed !== undefined) return sealed.version === FORM ? sealed : undefined;
  try {
    const parsed = JSON.parse(text) as Record<string, unknown> | null;
    return parsed?.version === 1 && !('sha256' in parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function readKeyFile(path: string): RootKeyFile {
  const damaged = (): never => {
    throw new ConfigError(
      `root key file ${path} is damaged: restore it from a backup, or remove it and make a new key by thingkeep accounts keys ID --new --data-dir ${dirname(path)}`,
    );
  };
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`root key file ${path} can't be read: ${String(error)}`);
  }
  const { keys, installation } = readMembers(text) ?? damaged();
  if (!Array.isArray(keys)) return damaged();
  return {
    installation: isText(installation) ? installation : undefined,
    keys: keys.map((key) => readKey(key) ?? damaged()),
  };
}

/** Id of the installation that a root key file is of; undefined where it has none. Fails where it is damaged. */
export const installationOfRootKeys = (path: string): string | undefined => readKeyFile(path).installation;

const writeKeyFile = (path: string, { installation, keys }: RootKeyFile): void =>
  writePrivateFile(path, sealJson({ version: FORM, installation, keys }));

export class RootKeys {
  readonly #path: string;
  /** What is written into the file from now on. */
  readonly #installation: string | undefined;
  #keys: readonly ProfileKey[];
  #byId: ReadonlyMap<string, ProfileKey>;

  /** `installation`: id that the file gets; without it the file keeps its own. */
  constructor(path: string, installation?: string) {
    const there = existsSync(path) ? readKeyFile(path) : undefined;
    this.#path = path;
    this.#installation = installation ?? there?.installation;
    this.#keys = there?.keys ?? [];
    this.#byId = new Map(this.#keys.map((key) => [key.accessKeyId, key]));
    if (there !== undefined && there.installation !== this.#installation) this.adopt(this.#keys);
  }

  get(accessKeyId: string): ProfileKey | undefined {
    return this.#byId.get(accessKeyId);
  }

  values(): readonly ProfileKey[] {
    return this.#keys;
  }

  of(accountId: string): readonly ProfileKey[] {
    return this.#keys.filter((key) => key.accountId === accountId);
  }

  /** Adds the first key of an account that has none. Fails when it has one, or when the profile's name is taken. */
  create(accountId: string | undefined, profile: string | undefined): ProfileKey {
    const account = accountId ?? this.#freeAccountId();
    if (this.of(account).length > 0)
      throw new ConfigError(`account ${account} is there; thingkeep accounts keys ${account} shows its keys`);
    return this.#add(account, profile ?? account);
  }

  /** Makes a new key for an account in place of all that it has. Fails when there is no such account. */
  renew(accountId: string): ProfileKey {
    const [old] = this.of(accountId);
    if (old === undefined && this.#keys.length > 0)
      throw new ConfigError(`there is no account ${accountId}; thingkeep accounts create ${accountId} makes it`);
    const key = makeKey(accountId, old?.profile ?? (this.#keys.length === 0 ? 'default' : accountId));
    this.#write([...this.#keys.filter((other) => other.accountId !== accountId), key]);
    return key;
  }

  adopt(keys: readonly ProfileKey[]): void {
    this.#write(keys);
  }

  #add(accountId: string, profile: string): ProfileKey {
    if (!PROFILE.test(profile)) throw new ConfigError(`${JSON.stringify(profile)} is not a name of a profile`);
    if (this.#keys.some((key) => key.profile === profile)) throw new ConfigError(`there is a profile ${profile} already`);
    const key = makeKey(accountId, profile);
    this.#write([...this.#keys, key]);
    return key;
  }

  #freeAccountId(): string {
    for (;;) {
      const id = String(randomInt(1, 10 ** 12 - 1)).padStart(12, '0');
      if (this.of(id).length === 0) return id;
    }
  }

  #write(keys: readonly ProfileKey[]): void {
    writeKeyFile(this.#path, { installation: this.#installation, keys });
    this.#take(keys);
  }

  #take(keys: readonly ProfileKey[]): void {
    this.#keys = keys;
    this.#byId = new Map(keys.map((key) => [key.accessKeyId, key]));
  }
}

export interface OpenRootKeys {
  readonly folder: DataFolder;
  /** Account of the first key. */
  readonly accountId: string;
  /** Id of the installation, which is written into the file. */
  readonly installation?: string;
  /** Whether this installation has had its root keys: a missing file is an error then, and nothing to make anew. */
  readonly wereMade: boolean;
  /** Told in one sentence what was done. */
  readonly onMoved: (what: string) => void;
}

/**
 * The root keys at a start of the server. The first start makes one. An installation of a release before `root-keys.json`
 * has its keys in `credentials`: they are moved, once.
 */
export function openRootKeys({ folder, accountId, installation, wereMade, onMoved }: OpenRootKeys): RootKeys {
  const keys = new RootKeys(folder.rootKeys, installation);
  if (!existsSync(folder.rootKeys)) {
    if (wereMade)
      throw new ConfigError(
        `root key file ${folder.rootKeys} is missing: restore it from a backup, or make a new key by thingkeep accounts keys ${accountId} --new --data-dir ${folder.path}`,
      );
    if (existsSync(folder.credentials)) {
      keys.adopt(readAccessKeys(folder.credentials, accountId));
      writeCopy(folder.credentials, keys, accountId);
      onMoved(`the access keys of ${folder.credentials} were moved to ${folder.rootKeys}; what is left is a copy for clients`);
    } else keys.create(accountId, 'default');
  }
  if (keys.values().length === 0) throw new ConfigError(`root key file ${folder.rootKeys} holds no key`);
  if (!existsSync(folder.credentials)) writeCopy(folder.credentials, keys, accountId);
  return keys;
}

const writeCopy = (path: string, keys: RootKeys, home: string): void =>
  writePrivateFile(path, renderProfiles(keys.values(), home));

/** Changes of the keys by the running server; `changed` hears of each account. Fails with InvalidRequestException. */
export function rootKeyChanges(keys: RootKeys, changed: (accountId: string) => void) {
  const made = (make: () => ProfileKey): ProfileKey => {
    try {
      const key = make();
      changed(key.accountId);
      return key;
    } catch (error) {
      if (error instanceof ConfigError) return fail('InvalidRequestException', error.message);
      if (error instanceof FileWriteError)
        return fail('ServiceUnavailableException', 'The key can not be stored.', undefined, error);
      throw error;
    }
  };
  return {
    create: (accountId: string | undefined, profile: string | undefined) => made(() => keys.create(accountId, profile)),
    renew: (accountId: string) => made(() => keys.renew(accountId)),
  };
}
