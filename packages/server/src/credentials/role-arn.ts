/** ARNs of IAM roles, `arn:aws:iam::{account}:role/{path/}{name}`, and of the sessions that assume them. */
import { createHash } from 'node:crypto';
import { parseArn } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';

/** IAM user guide, page reference_iam-quotas: characters and length of a role's path and name. */
const ROLE = /^(?:[!-~]{1,512}\/)?[\w+=,.@-]{1,64}$/;

/** Returns the ARN of a role; fails with InvalidRequestException for any other text. The API's front has checked the account. */
export function checkRoleArn(text: string): string {
  const arn = parseArn(text);
  const isRole = arn?.service === 'iam' && arn.region === '' && arn.type === 'role' && ROLE.test(arn.name);
  return isRole ? text : fail('InvalidRequestException', `Invalid role ARN: ${text.slice(0, 256)}`);
}

/** The ARN of a session; it leaves out the role's path. */
export const sessionArn = (roleArn: string, accountId: string, sessionName: string): string =>
  `arn:aws:sts::${accountId}:assumed-role/${roleArn.slice(roleArn.lastIndexOf('/') + 1)}/${sessionName}`;

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** A unique id of IAM: the prefix and 16 letters and digits made of bytes. */
export const uniqueId = (prefix: 'AROA' | 'ASIA', bytes: Uint8Array): string =>
  `${prefix}${[...bytes.subarray(0, 16)].map((byte) => BASE32[byte & 31]).join('')}`;

/** The unique id of a role that IAM does not keep, made of its ARN. */
export const roleId = (roleArn: string): string => uniqueId('AROA', createHash('sha256').update(roleArn).digest());
