/**
 * CreateLoginProfile, GetLoginProfile, UpdateLoginProfile, DeleteLoginProfile, ChangePassword: passwords of users, of which a
 * hash alone is kept.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IamOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { IamParts } from './users.operations.ts';
import { entityOf, givenUser } from './records.ts';
import { entities, type LoginProfile, type UserRecord } from './store.ts';

type Operations = Pick<
  IamOperations,
  'CreateLoginProfile' | 'GetLoginProfile' | 'UpdateLoginProfile' | 'DeleteLoginProfile' | 'ChangePassword'
>;

/** Cost of one guess: 16 MiB, and some tens of milliseconds. */
const SCRYPT = { N: 16_384, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
const HASH = 32;
const derive = promisify<string, Buffer, number, typeof SCRYPT, Buffer>(scrypt);

/** IAM user guide, page id_credentials_passwords_account-policy: the rule for accounts without a password policy. */
const SHORTEST = 8;
const MIXED = [/[A-Z]/, /[a-z]/, /\d/, /[!@#$%^&*()_+\-=[\]{}|']/];
const KINDS = 3;

function checkPassword(password: string, user: string): void {
  const kinds = MIXED.filter((kind) => kind.test(password)).length;
  if (password.length < SHORTEST) fail('PasswordPolicyViolation', `Password should have a minimum length of ${SHORTEST}`);
  if (kinds < KINDS) fail('PasswordPolicyViolation', `Password should have characters of ${KINDS} kinds`);
  if (password.toLowerCase() === user.toLowerCase())
    fail('PasswordPolicyViolation', 'Password should not be the name of the user');
}

async function profileOf(password: string, passwordResetRequired: boolean, createdAt: number): Promise<LoginProfile> {
  const salt = randomBytes(16);
  const hash = await derive(password, salt, HASH, SCRYPT);
  return { salt: salt.toString('base64'), hash: hash.toString('base64'), createdAt, passwordResetRequired };
}

async function isPassword(password: string, { salt, hash }: LoginProfile): Promise<boolean> {
  return timingSafeEqual(await derive(password, Buffer.from(salt, 'base64'), HASH, SCRYPT), Buffer.from(hash, 'base64'));
}

const describe = (user: UserRecord, login: LoginProfile) => ({
  LoginProfile: {
    UserName: user.name,
    CreateDate: new Date(login.createdAt),
    PasswordResetRequired: login.passwordResetRequired,
  },
});

const loginOf = (user: UserRecord): LoginProfile =>
  user.login ?? fail('NoSuchEntity', `Login Profile for User ${user.name} cannot be found.`);

export const loginProfileOperations = (parts: IamParts): Handlers<Operations> => ({
  async CreateLoginProfile({ UserName, Password = '', PasswordResetRequired = false }, caller) {
    const { name } = await parts.store.read((tx) => givenUser(tx, caller, UserName));
    checkPassword(Password, name);
    const login = await profileOf(Password, PasswordResetRequired, parts.clock.now());
    const user = await parts.store.write(async (tx) => {
      const owner = await entityOf(tx, caller.accountId, 'user', name);
      if (owner.login !== undefined) fail('EntityAlreadyExists', `Login Profile for user ${name} already exists.`);
      await tx.put(entities, { ...owner, login });
      return owner;
    });
    return describe(user, login);
  },

  async GetLoginProfile({ UserName }, caller) {
    const user = await parts.store.read((tx) => givenUser(tx, caller, UserName));
    return describe(user, loginOf(user));
  },

  async UpdateLoginProfile({ UserName = '', Password, PasswordResetRequired }, { accountId }) {
    const before = await parts.store.read((tx) => entityOf(tx, accountId, 'user', UserName));
    const { passwordResetRequired, createdAt } = loginOf(before);
    if (Password !== undefined) checkPassword(Password, UserName);
    const reset = PasswordResetRequired ?? passwordResetRequired;
    const made = Password === undefined ? undefined : await profileOf(Password, reset, createdAt);
    await parts.store.write(async (tx) => {
      const user = await entityOf(tx, accountId, 'user', UserName);
      await tx.put(entities, { ...user, login: made ?? { ...loginOf(user), passwordResetRequired: reset } });
    });
    return {};
  },

  async DeleteLoginProfile({ UserName }, caller) {
    await parts.store.write(async (tx) => {
      const user = await givenUser(tx, caller, UserName);
      loginOf(user);
      const { login: _, ...without } = user;
      await tx.put(entities, without);
    });
    return {};
  },

  /** Changes the password of the calling user; the old password has to be right. */
  async ChangePassword({ OldPassword = '', NewPassword = '' }, caller) {
    const user = await parts.store.read((tx) => givenUser(tx, caller, undefined));
    const { createdAt } = loginOf(user);
    if (!(await isPassword(OldPassword, loginOf(user)))) fail('AccessDeniedException', 'The old password was incorrect.');
    checkPassword(NewPassword, user.name);
    const login = await profileOf(NewPassword, false, createdAt);
    await parts.store.write(async (tx) => {
      await tx.put(entities, { ...(await entityOf(tx, caller.accountId, 'user', user.name)), login });
    });
    return {};
  },
});
