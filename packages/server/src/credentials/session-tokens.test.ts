import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Store } from '../store/contract.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { roleId, sessionArn } from './role-arn.ts';
import { type DeviceSession, SessionTokens } from './session-tokens.ts';
import { temporaryKeys } from './temporary-keys.ts';

const folder = mkdtempSync(join(tmpdir(), 'thingkeep-tokens-'));
const clock = { at: 1_000_000, now: () => clock.at, monotonic: () => clock.at };
let store: Store;
let tokens: SessionTokens;
before(async () => {
  store = await openSqliteStore({ path: join(folder, 'data') });
  tokens = await SessionTokens.open(store, clock);
});
after(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

const session: DeviceSession = {
  accountId: '123456789012',
  region: 'us-east-1',
  roleArn: 'arn:aws:iam::123456789012:role/path/Robot',
  certificateId: 'c'.repeat(64),
  thingName: 'robot',
  expiresAt: 2_000_000,
};

test('what is issued opens again, with the same secret, by whoever has the same store', async () => {
  const { accessKeyId, secretAccessKey, sessionToken } = tokens.issue(session);
  assert.match(accessKeyId, /^ASIA[A-Z2-7]{16}$/);
  assert.equal(secretAccessKey.length, 40);
  for (const each of [tokens, await SessionTokens.open(store, clock)])
    assert.deepEqual(each.open(accessKeyId, sessionToken), { session, secretAccessKey });
});

test('nothing of the session can be read from its token, and no two are alike', () => {
  const [one, other] = [tokens.issue(session), tokens.issue(session)];
  assert.ok(!Buffer.from(one.sessionToken, 'base64').toString('latin1').includes('robot'));
  assert.notEqual(one.sessionToken, other.sessionToken);
  assert.notEqual(one.secretAccessKey, other.secretAccessKey);
});

test('a token opens for its key id alone, and not when any byte of it is another', () => {
  const { accessKeyId, sessionToken } = tokens.issue(session);
  assert.equal(tokens.open(tokens.issue(session).accessKeyId, sessionToken), undefined);
  assert.equal(tokens.open(accessKeyId.replace('ASIA', 'AKIA'), sessionToken), undefined);
  const bytes = Buffer.from(sessionToken, 'base64');
  for (let at = 0; at < bytes.length; at += 1) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 0x80;
    assert.equal(tokens.open(accessKeyId, changed.toString('base64')), undefined, `byte ${at}`);
  }
  for (let length = 0; length < bytes.length; length += 1)
    assert.equal(tokens.open(accessKeyId, bytes.subarray(0, length).toString('base64')), undefined, `${length} bytes`);
  for (const text of ['', ' ', `${sessionToken}\n`, `${sessionToken}AAAA`, 'x'.repeat(10_000)])
    assert.equal(tokens.open(accessKeyId, text), undefined);
});

test('a session is over at its end, to the millisecond', () => {
  const { accessKeyId, sessionToken } = tokens.issue(session);
  clock.at = session.expiresAt - 1;
  assert.notEqual(tokens.open(accessKeyId, sessionToken), undefined);
  clock.at = session.expiresAt;
  assert.throws(() => tokens.open(accessKeyId, sessionToken), { code: 'ExpiredTokenException' });
  clock.at = 1_000_000;
});

test('another secret makes other tokens', async () => {
  await using elsewhere = await openSqliteStore({ path: join(folder, 'other') });
  const { accessKeyId, sessionToken } = (await SessionTokens.open(elsewhere, clock)).issue(session);
  assert.equal(tokens.open(accessKeyId, sessionToken), undefined);
});

test('the key shows the session of the assumed role (STS API reference, AssumedRoleUser)', async () => {
  const find = temporaryKeys(
    tokens,
    ({ certificateId }) => certificateId,
    async ({ session: { kind } }) => assert.fail(`a session of a device, not of a ${kind}`),
  );
  const { accessKeyId, sessionToken, secretAccessKey } = tokens.issue(session);
  const key = await find(accessKeyId, sessionToken);
  assert.equal(key?.arn, `arn:aws:sts::123456789012:assumed-role/Robot/${session.certificateId}`);
  assert.equal(key?.arn, sessionArn(session.roleArn, session.accountId, session.certificateId));
  assert.equal(key?.userId, `${roleId(session.roleArn)}:${session.certificateId}`);
  assert.equal(key?.secretAccessKey, secretAccessKey);
  assert.equal(key?.permissions, session.certificateId);
  assert.equal(await find(accessKeyId, undefined), undefined);
});
