/** STS GetAccessKeyInfo: whose key it is, told to who has the permission alone (API reference of STS). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GetAccessKeyInfoCommand, GetCallerIdentityCommand, GetSessionTokenCommand, STSClient } from '@aws-sdk/client-sts';
import { ACCOUNT, allow } from './devices.ts';
import { clientOf, makeUser } from './identities.ts';
import type { Credentials } from './presign.ts';
import { startServer } from './test-core.ts';

test('a user asks of keys with the permission alone; who it is, it may always ask', async () => {
  await using server = await startServer({ args: ['--log-level', 'warn'] });
  const none = (await makeUser(server, 'none', [allow('iot:*', '*')])).credentials;
  const asking = (await makeUser(server, 'asking', [allow('sts:GetAccessKeyInfo', '*')])).credentials;
  const root = server.credentials();
  const accountOf = async (credentials: Credentials, AccessKeyId: string): Promise<string | undefined> => {
    const sts = new STSClient(clientOf(server, credentials));
    return (await sts.send(new GetAccessKeyInfoCommand({ AccessKeyId })).finally(() => sts.destroy())).Account;
  };
  for (const { accessKeyId } of [root, none, asking, { accessKeyId: 'AKIAAAAAAAAAAAAAAAAA' }])
    await assert.rejects(accountOf(none, accessKeyId), {
      name: /^AccessDenied/,
      message: /not authorized to perform: sts:GetAccessKeyInfo/,
    });
  for (const { accessKeyId } of [root, none]) {
    assert.equal(await accountOf(asking, accessKeyId), ACCOUNT);
    assert.equal(await accountOf(root, accessKeyId), ACCOUNT);
  }
  const sts = new STSClient(clientOf(server, none));
  assert.equal((await sts.send(new GetCallerIdentityCommand({}))).Account, ACCOUNT);
  assert.ok((await sts.send(new GetSessionTokenCommand({}))).Credentials);
  sts.destroy();
});
