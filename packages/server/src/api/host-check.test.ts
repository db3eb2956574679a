/** Which values of a Host header name the server, and what the refusal of another one says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkHost, ownNames } from './host-check.ts';

const isOwnName = ownNames(['IoT.Example', '192.0.2.7'], (host) => host === 'fleet.example');
const refusal = (host: string | undefined, arrivedAt?: string): string | undefined => {
  try {
    checkHost(host, arrivedAt, isOwnName);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

test('names, in any case and with any port; the address of arrival in every form', () => {
  for (const [host, arrivedAt] of [
    ['iot.example', undefined],
    ['IOT.EXAMPLE:80', undefined],
    ['fleet.example:8443', undefined],
    ['localhost:1', undefined],
    ['192.0.2.7:4680', '10.0.0.1'],
    ['10.0.0.1', '10.0.0.1'],
    ['10.0.0.1:4680', '::ffff:10.0.0.1'],
    ['[::1]:4680', '::1'],
    ['[0:0:0:0:0:0:0:1]', '::1'],
    ['[FE80::1]', 'fe80::1%eth0'],
    ['[2001:db8::5]:443', '2001:db8:0:0::5'],
  ] as const)
    assert.equal(refusal(host, arrivedAt), undefined, `${host} at ${arrivedAt}`);
});

test('nothing else, and no value that two readers would read in two ways', () => {
  for (const [host, arrivedAt] of [
    ['10.0.0.1', undefined],
    ['10.0.0.1', '10.0.0.2'],
    ['[::1]', '::2'],
    ['127.0.0.1', '10.0.0.1'],
    ['localhost.', undefined],
    ['xlocalhost', undefined],
    ['localhost@evil.example', undefined],
    ['evil.example#localhost', undefined],
    ['localhost/evil.example', undefined],
    ['localhost:80:80', undefined],
    ['localhost,evil.example', undefined],
    ['', undefined],
    [undefined, '10.0.0.1'],
    ['[fe80::1%25eth0]', 'fe80::1%eth0'],
    ['ⓛocalhost', undefined],
  ] as const)
    assert.match(refusal(host, arrivedAt) ?? '', /is no name of this server/, `${host} at ${arrivedAt}`);
});

test('the refusal names the flag, bounded and escaped', () => {
  assert.match(refusal('evil.example:8080') ?? '', /The signed Host "evil\.example" .* --endpoint evil\.example$/);
  assert.match(refusal('a\u001b[31m') ?? '', /"a\\u001b\[31m".*--endpoint NAME$/);
  assert.ok((refusal('a'.repeat(10_000)) ?? '').length < 700);
});
