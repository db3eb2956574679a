/** AWS shared credentials files: read as they are, and written as AWS's own tools write them. */
import { readFileSync } from 'node:fs';
import { ConfigError } from './settings.ts';

export interface ProfileKey {
  readonly profile: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly accountId: string;
}

function parse(path: string): Map<string, Map<string, string>> {
  const profiles = new Map<string, Map<string, string>>();
  let current: Map<string, string> | undefined;
  for (const line of readFileSync(path, 'utf8').split(/\r?\n/)) {
    const text = line.trim();
    if (text === '' || text.startsWith('#') || text.startsWith(';')) continue;
    const [, profile] = /^\[([^\]]+)\]$/.exec(text) ?? [];
    if (profile !== undefined) {
      current = new Map();
      profiles.set(profile.trim(), current);
      continue;
    }
    const mark = text.indexOf('=');
    if (mark < 0 || current === undefined)
      throw new ConfigError(`credentials file ${path} has a line that is neither a profile nor a setting`);
    current.set(text.slice(0, mark).trim(), text.slice(mark + 1).trim());
  }
  return profiles;
}

/** The keys of the file. `accountId` is the account of profiles that name none. */
export function readAccessKeys(path: string, accountId: string): readonly ProfileKey[] {
  const keys = [...parse(path)].map(([profile, values]) => {
    const accessKeyId = values.get('aws_access_key_id') ?? '';
    const secretAccessKey = values.get('aws_secret_access_key') ?? '';
    const account = values.get('aws_account_id') ?? accountId;
    if (accessKeyId === '' || secretAccessKey === '')
      throw new ConfigError(`credentials file ${path}: profile ${profile} lacks a key id or a secret`);
    if (!/^\d{12}$/.test(account))
      throw new ConfigError(`credentials file ${path}: profile ${profile} names no account id of 12 digits`);
    return { profile, accessKeyId, secretAccessKey, accountId: account };
  });
  if (keys.length === 0) throw new ConfigError(`credentials file ${path} holds no profile`);
  return keys;
}

/** A profile of each key, in the form of AWS's shared credentials file. Keys of `home` do not name their account. */
export const renderProfiles = (keys: readonly ProfileKey[], home?: string): string =>
  keys
    .map(({ profile, accessKeyId, secretAccessKey, accountId }) => {
      const account = accountId === home ? '' : `aws_account_id = ${accountId}\n`;
      return `[${profile}]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n${account}`;
    })
    .join('\n');
