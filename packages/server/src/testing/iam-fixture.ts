/** IAM over a store of its own, for tests: its operations called as the API calls them, by the root or by whose key is given. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { IamOperations, StsOperations } from '@thingkeep/wire/api/operation-types.ts';
import { SessionTokens } from '../credentials/session-tokens.ts';
import type { IdentityKey, RootSessionKey } from '../iam/access-keys.ts';
import { openIam } from '../iam/iam.ts';
import type { SigningKey } from '../iam/sts.operations.ts';
import { ChangeFeed } from '../store/change-feed.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { clockAt } from './operations-fixture.ts';

export const ACCOUNT = '123456789012';
const ROOT_KEY = 'AKIAROOTROOTROOTROOT';

type Operations = IamOperations & StsOperations;
type Call = (input: object, caller: object) => Promise<object>;
export type Key = IdentityKey | RootSessionKey;

export const document = (...statements: object[]): string => JSON.stringify({ Version: '2012-10-17', Statement: statements });
export const allow = (...actions: string[]): string => document({ Effect: 'Allow', Action: actions, Resource: '*' });
export const trust = (principal: object | '*', condition?: object): string =>
  document({
    Effect: 'Allow',
    Principal: principal,
    Action: 'sts:AssumeRole',
    Condition: condition,
  });

export async function openIamFixture() {
  const folder = mkdtempSync(join(tmpdir(), 'thingkeep-iam-'));
  const file = join(folder, 'data');
  const changes = new ChangeFeed({ store: await openSqliteStore({ path: file }), log: console });
  const { store } = changes;
  const clock = clockAt(Date.parse('2026-01-02T03:04:05Z'));
  const tokens = await SessionTokens.open(store, clock);
  /** Ids of certificates that may not be used any more. */
  const revoked = new Set<string>();
  const iam = openIam({ store, changes, clock, tokens, rootAccountOf: (id) => (id === ROOT_KEY ? ACCOUNT : undefined) });
  const root: SigningKey & { accountId: string; arn: string; userId: string } = {
    accessKeyId: ROOT_KEY,
    accountId: ACCOUNT,
    arn: `arn:aws:iam::${ACCOUNT}:root`,
    userId: ACCOUNT,
  };
  const operations = { ...iam.services.iam.operations, ...iam.services.sts.operations } as unknown as Readonly<
    Record<string, Call>
  >;

  /** An operation, as the root unless a key is given. Permissions are not asked for here. */
  const call = async <K extends keyof Operations>(
    name: K,
    input: Operations[K]['input'],
    key: SigningKey = root,
  ): Promise<Operations[K]['output']> => {
    const { accountId, arn, userId } = { ...root, ...key };
    const caller = { accountId, arn, userId, region: 'us-east-1', sourceIp: '127.0.0.1', requestId: 'r', key };
    return ((await operations[name]?.(input, caller)) ?? {}) as Operations[K]['output'];
  };

  /** A new key of a user, as whoever proves signatures finds it. */
  const keyOf = async (UserName: string): Promise<IdentityKey> => {
    const { AccessKey } = await call('CreateAccessKey', { UserName });
    const key = await iam.keys.long(AccessKey?.AccessKeyId ?? '');
    if (key === undefined) throw new TypeError('the new key is not found');
    return key;
  };

  /** The key of temporary credentials. */
  const temporary = async (credentials: Operations['AssumeRole']['output']['Credentials']): Promise<Key | undefined> => {
    const { AccessKeyId = '', SessionToken = '' } = credentials ?? {};
    const opened = tokens.open(AccessKeyId, SessionToken);
    if (opened === undefined || opened.session.kind === undefined) return undefined;
    const token = { accessKeyId: AccessKeyId, sessionToken: SessionToken, ...opened, session: opened.session };
    return iam.keys.temporary(token, async ({ certificateId }) => !revoked.has(certificateId));
  };

  /** What the key may do now: the effect, or `nobody`. */
  const may = async (key: Key | undefined, action: string, resource = '*'): Promise<string> => {
    const permissions =
      key === undefined || !('permissions' in key)
        ? undefined
        : await key.permissions({ sourceIp: '127.0.0.1', region: 'us-east-1' });
    return permissions?.decide(action, resource).effect ?? 'nobody';
  };

  return {
    iam,
    store,
    clock,
    tokens,
    file,
    call,
    keyOf,
    temporary,
    may,
    revoked,
    rootKey: root,
    async close(): Promise<void> {
      await store[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
