/** Names of IAM: unique ids, paths and ARNs (IAM user guide, page reference_identifiers). */
import { randomBytes } from 'node:crypto';

export type EntityKind = 'user' | 'group' | 'role';

/** AIDA user, AGPA group, AROA role, ANPA managed policy. */
export type IdPrefix = 'AIDA' | 'AGPA' | 'AROA' | 'ANPA';

export const ID_PREFIXES: Readonly<Record<EntityKind, IdPrefix>> = { user: 'AIDA', group: 'AGPA', role: 'AROA' };

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const ID_CHARACTERS = 17;
const KEY_CHARACTERS = 16;

const letters = (count: number): string => [...randomBytes(count)].map((byte) => BASE32[byte & 31]).join('');

/** 21 characters; never given twice. */
export const newId = (prefix: IdPrefix): string => `${prefix}${letters(ID_CHARACTERS)}`;

/** An access key id of 20 characters, and a secret of 40. */
export const newAccessKey = (): { readonly accessKeyId: string; readonly secretAccessKey: string } => ({
  accessKeyId: `AKIA${letters(KEY_CHARACTERS)}`,
  secretAccessKey: randomBytes(30).toString('base64'),
});

/** `path` begins and ends with a slash. */
export const entityArn = (accountId: string, kind: EntityKind | 'policy', path: string, name: string): string =>
  `arn:aws:iam::${accountId}:${kind}${path}${name}`;

export const rootArn = (accountId: string): string => `arn:aws:iam::${accountId}:root`;

export interface NamedByArn {
  readonly accountId: string;
  readonly kind: EntityKind | 'policy';
  readonly path: string;
  readonly name: string;
}

const ARN = /^arn:aws:iam::(\d{12}|aws):(user|group|role|policy)(\/(?:[!-~]+\/)?)([\w+=,.@-]{1,128})$/;

/** The parts of an ARN of a user, group, role or managed policy; undefined for any other text. */
export function parseEntityArn(text: string): NamedByArn | undefined {
  const found = ARN.exec(text);
  if (found === null) return undefined;
  const [, accountId = '', kind = '', path = '', name = ''] = found;
  return { accountId, kind: kind as NamedByArn['kind'], path, name };
}
