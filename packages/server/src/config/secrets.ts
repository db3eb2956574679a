/**
 * Access keys: the data folder's `credentials`, an AWS shared credentials file. The profile `default` is made on the
 * first start; further profiles may be added by hand, each for the account that its `aws_account_id` names.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { writePrivateFile } from './private-file.ts';
import { ConfigError } from './settings.ts';

export interface AccessKeyRecord {
  readonly profile: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly accountId: string;
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** In the form of AWS's own: AKIA and 16 letters or digits. */
const newAccessKeyId = (): string => `AKIA${[...randomBytes(16)].map((byte) => BASE32[byte & 31]).join('')}`;

/** Makes the file on the first start. */
function ensure(path: string): void {
  if (existsSync(path)) {
    chmodSync(path, 0o600);
    return;
  }
  // 30 random bytes are 40 base64 characters, as long as AWS's secrets.
  const secret = randomBytes(30).toString('base64');
  writePrivateFile(path, `[default]\naws_access_key_id = ${newAccessKeyId()}\naws_secret_access_key = ${secret}\n`);
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

/** The keys of the file, which is made first when there is none. `accountId` is the account of profiles that name none. */
export function openAccessKeys(path: string, accountId: string): readonly AccessKeyRecord[] {
  ensure(path);
  return readAccessKeys(path, accountId);
}

export function readAccessKeys(path: string, accountId: string): readonly AccessKeyRecord[] {
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
