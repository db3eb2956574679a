/** Where custom authorizers' parameters are found (developer guide, page custom-auth; fact sheet 11.1, carriers). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { carriesCustomCredentials, customCredentials, type Head } from './credentials.ts';

const head = (query: string, headers: Record<string, string> = {}): Head => ({
  query,
  headers: new Map(Object.entries(headers).map(([name, value]) => [name, [value]])),
});
const all = ({ authorizerName, signature, token }: ReturnType<typeof customCredentials>, key = 'key') => [
  authorizerName,
  signature,
  token(key),
];

describe('the MQTT user name', () => {
  test('carries name, signature and token behind a question mark, each encoded for a URL', () => {
    const userName = 'user?x-amz-customauthorizer-name=my%3Dauth&x-amz-customauthorizer-signature=a%2Bb%2Fc%3D%3D&key=t%26k%3Dn';
    assert.deepEqual(all(customCredentials(undefined, userName)), ['my=auth', 'a+b/c==', 't&k=n']);
  });

  test('a signature that was not encoded stays what it is', () => {
    const userName = '?x-amz-customauthorizer-signature=a+b/c==&key=100%';
    assert.deepEqual(all(customCredentials(undefined, userName)), [undefined, 'a+b/c==', '100%']);
  });

  test('the metrics that SDKs append do not disturb', () => {
    const userName = 'u?x-amz-customauthorizer-name=n&key=t&SDK=NodeJSv2&Version=1.28.0';
    assert.deepEqual(all(customCredentials(undefined, userName)), ['n', undefined, 't']);
    assert.equal(carriesCustomCredentials(undefined, userName), true);
    assert.equal(carriesCustomCredentials(undefined, 'u?SDK=NodeJSv2&Version=1.28.0'), false);
  });

  test('without a query, and without a name at all, nothing is found', () => {
    for (const userName of [undefined, '', 'x-amz-customauthorizer-name=n', '?', '?&&', '?x-amz-customauthorizer-name='])
      assert.deepEqual(all(customCredentials(undefined, userName)), [undefined, undefined, undefined], userName);
  });

  test('of a parameter that stands twice, the first counts; one that is far too long counts for nothing', () => {
    assert.equal(customCredentials(undefined, '?key=one&key=two').token('key'), 'one');
    assert.equal(customCredentials(undefined, `?key=${'x'.repeat(8192)}`).token('key'), undefined);
  });
});

describe('an HTTP head', () => {
  const headers = { 'x-amz-customauthorizer-name': 'n', 'x-amz-customauthorizer-signature': 's', 'my-token': 't' };

  test('carries them in headers or in the query; a header wins', () => {
    assert.deepEqual(all(customCredentials(head('', headers), undefined), 'My-Token'), ['n', 's', 't']);
    const query = 'x-amz-customauthorizer-name=q&x-amz-customauthorizer-signature=r&My-Token=u';
    assert.deepEqual(all(customCredentials(head(query), undefined), 'My-Token'), ['q', 'r', 'u']);
    assert.equal(customCredentials(head(query, headers), undefined).authorizerName, 'n');
  });

  test('speaks of custom authorizers or not', () => {
    assert.equal(carriesCustomCredentials(head('', headers)), true);
    assert.equal(carriesCustomCredentials(head('qos=1&x-amz-customauthorizer-signature=r')), true);
    assert.equal(carriesCustomCredentials(head('qos=1', { 'my-token': 't' })), false);
    assert.equal(carriesCustomCredentials(undefined), false);
  });
});
