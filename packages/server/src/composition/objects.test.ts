/** URLs of objects, signed for devices: where they lead, and whose key signs them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AskingRole } from '../objects/contract.ts';
import { openObjectUrls } from './objects.ts';

const OPERATOR = { accessKeyId: 'AKIDOPERATOR', secretAccessKey: 'secret' };
const SESSION = { accessKeyId: 'ASIASESSION', secretAccessKey: 'secret', sessionToken: 'token' };
const role: AskingRole = {
  place: { region: 'eu-west-1', accountId: '123456789012' },
  roleArn: 'arn:aws:iam::123456789012:role/r',
  permissions: {
    decide: (action, resource) => ({
      effect: action === 's3:GetObject' && resource.startsWith('arn:aws:s3:::fw/pub/') ? 'ALLOWED' : 'IMPLICIT_DENY',
    }),
  },
};

const urlsAt = (store: string | undefined, hasKeys: boolean) =>
  openObjectUrls(
    {
      config: { actionEndpoints: new Map(store === undefined ? [] : [['s3', [store]]]), apiTls: false, endpoint: 'iot.local' },
      clock: { now: () => Date.UTC(2026, 0, 1) },
      listening: { api: 4680 },
    } as never,
    { iam: { roleCredentials: async () => SESSION } } as never,
    { operatorKeys: hasKeys ? { of: () => OPERATOR } : undefined } as never,
  );

async function signed(store: string | undefined, hasKeys: boolean, key: string, versionId?: string): Promise<URL> {
  const request = { method: 'GET', name: { bucket: 'fw', key }, versionId, expiresInSec: 60 } as const;
  const sign = await urlsAt(store, hasKeys).signerOf(role);
  return new URL(sign(request));
}

const keyOf = (url: URL): string | undefined => url.searchParams.get('X-Amz-Credential')?.split('/')[0];

test('a URL leads to the embedded store, to the one that is named, or to AWS', async () => {
  const own = await signed(undefined, false, 'pub/a b');
  assert.equal(own.href.split('?')[0], 'http://iot.local:4680/fw/pub/a%20b');
  assert.deepEqual([keyOf(own), own.searchParams.get('X-Amz-Security-Token')], ['ASIASESSION', 'token']);
  const named = await signed('http://store:9000/', true, 'pub/a', 'v 1');
  assert.equal(named.href.split('?')[0], 'http://store:9000/fw/pub/a');
  assert.deepEqual([keyOf(named), named.searchParams.get('versionId')], ['AKIDOPERATOR', 'v 1']);
  assert.equal(keyOf(await signed('http://store:9000', false, 'pub/a')), 'ASIASESSION');
  const atAws = await signed('aws', true, 'pub/a');
  assert.equal(atAws.href.split('?')[0], 'https://fw.s3.eu-west-1.amazonaws.com/pub/a');
});

test('no URL leads elsewhere than to what the role may read', async () => {
  const denied = { name: 'ObjectFault', code: 'AccessDenied' };
  await assert.rejects(signed(undefined, false, 'secret'), denied);
  await assert.rejects(signed('aws', false, 'pub/a'), denied);
  for (const store of [undefined, 'http://store:9000', 'aws'])
    for (const key of ['pub/../../secrets/k', 'pub/./k', 'pub/..', 'pub/../secret'])
      await assert.rejects(signed(store, true, key), { name: 'ObjectFault', code: 'InvalidRequest' }, `${store} ${key}`);
  for (const key of ['pub/%2e%2e/%2e%2e/secrets/k', 'pub/..\\..\\k', 'pub/\t../k', 'pub/...'])
    assert.ok((await signed('http://store:9000', true, key)).pathname.startsWith('/fw/pub/'), key);
});
