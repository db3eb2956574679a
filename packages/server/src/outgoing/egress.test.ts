/** Which names and addresses requests may go to, and that a connection goes where was checked. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { hasFixedHost, isRoot } from './author.ts';
import { readAllowed } from './allowed.ts';
import type { EgressOptions } from './egress.ts';
import { openRequest } from './requests.ts';
import type { ResolvedAddress } from './resolve.ts';
import { allowing, testEgress } from './egress.fixture.ts';

const four = (...addresses: string[]): ResolvedAddress[] => addresses.map((address) => ({ address, family: 4 }));

/** What a URL's request is refused for; undefined when it may go there. */
const refusal = (url: string, options: Partial<EgressOptions> = {}, exempt = false): Promise<string | undefined> =>
  testEgress({ allowed: [], resolve: async () => four('93.184.216.34'), ...options })
    .target(new URL(url), exempt)
    .then(
      () => undefined,
      (error: unknown) => (error as Error).message,
    );

describe('a name', () => {
  test('is refused when any of its addresses is not of the internet, with the flag and without the address', async () => {
    assert.equal(await refusal('https://hook.example/'), undefined);
    for (const addresses of [four('10.1.2.3'), four('93.184.216.34', '169.254.169.254'), four('127.0.0.1')]) {
      const reason = (await refusal('https://hook.example/a', { resolve: async () => addresses })) ?? '';
      assert.match(
        reason,
        /^hook\.example leads to an address that is not of the internet .*--outgoing-allow hook\.example:443$/,
      );
      for (const { address } of addresses) assert.ok(!reason.includes(address));
    }
    const mapped: ResolvedAddress[] = [{ address: '::ffff:10.0.0.1', family: 6 }];
    assert.match((await refusal('http://hook.example/', { resolve: async () => mapped })) ?? '', /private use/);
  });

  test('without an address is refused, which may pass; so is one that can not be resolved', async () => {
    for (const resolve of [async () => [], () => Promise.reject(new TypeError('no server'))])
      await assert.rejects(testEgress({ resolve }).target(new URL('http://none.example/'), false), {
        name: 'EgressError',
        passing: true,
        message: 'the host name none.example has no address',
      });
  });

  test('is bounded', async () => {
    assert.match((await refusal(`http://${'a.'.repeat(200)}example/`)) ?? '', /^a host name has at most 253 characters$/);
  });

  test('localhost and what is below it are this machine', async () => {
    for (const host of ['localhost', 'LOCALHOST', 'a.localhost', 'localhost.'])
      assert.match((await refusal(`http://${host}/`, { resolve: undefined })) ?? '', /loopback/, host);
  });
});

describe('what the operator allows', () => {
  const allows = async (entry: string, url: string, addresses = four('10.0.0.5')): Promise<boolean> =>
    (await refusal(url, { allowed: allowing(entry), resolve: async () => addresses })) === undefined;

  test('is a name, an address or a range, with or without a port, and nothing beside it', async () => {
    for (const [entry, url, allowed] of [
      ['hook.internal', 'http://hook.internal/', true],
      ['hook.internal', 'http://HOOK.internal:8080/', true],
      ['hook.internal:8080', 'http://hook.internal:8080/', true],
      ['hook.internal:8080', 'http://hook.internal/', false],
      ['hook.internal', 'http://other.hook.internal/', false],
      ['10.0.0.0/8', 'http://hook.internal/', true],
      ['10.0.0.0/8:443', 'https://hook.internal/', true],
      ['10.0.0.0/8:443', 'http://hook.internal/', false],
      ['10.0.0.5', 'http://10.0.0.5:9/', true],
      ['10.0.0.5', 'http://10.0.0.6/', false],
      ['192.168.0.0/16', 'http://hook.internal/', false],
      ['fd00::/8', 'http://[fd00::1]/', true],
      ['[fd00::/8]:8080', 'http://[fd00::1]:8080/', true],
      ['[fd00::/8]:8080', 'http://[fd00::1]/', false],
      ['[::1]:8080', 'http://[::1]:8080/', true],
      ['127.0.0.1', 'http://[::ffff:127.0.0.1]/', true],
    ] as const)
      assert.equal(await allows(entry, url), allowed, `${entry} ${url}`);
    assert.equal(await allows('10.0.0.0/8', 'http://hook.internal/', four('10.0.0.5', '172.16.0.1')), false);
  });

  test('what is no entry is refused', () => {
    for (const text of [
      '',
      '*',
      'a b',
      'http://a',
      'a:0',
      'a:65536',
      'a:b',
      '10.0.0.0/33',
      '10.0.0',
      '300.1.1.1',
      '[::1',
      'fe80::1%1',
      '-a',
      'a/8',
      'a,b',
    ])
      assert.equal(readAllowed(text), undefined, text);
  });
});

describe('a listener of the server itself', () => {
  const own = {
    ports: () => [4680, 8883],
    ownAddresses: () => ['93.184.216.34', 'fe80::1%eth0'],
    isOwnName: (host: string) => host === 'iot.example',
  };

  test('is refused on every address of the machine, a public one too, and by its names', async () => {
    for (const url of [
      'http://93.184.216.34:4680/',
      'https://hook.example:8883/',
      'http://iot.example:4680/',
      'http://IOT.example.:4680/',
      'http://[64:ff9b::5db8:d822]:4680/',
    ])
      assert.match((await refusal(url, own)) ?? '', /is a listener of this server itself.*--outgoing-allow/, url);
    assert.equal(await refusal('http://93.184.216.34:80/', own), undefined);
    assert.equal(await refusal('http://93.184.216.35:4680/', { ...own, resolve: async () => four('93.184.216.35') }), undefined);
    for (const url of ['http://127.8.9.1:4680/', 'http://0.0.0.0:4680/', 'http://[::1]:4680/'])
      assert.match((await refusal(url, { ...own, allowed: allowing('127.0.0.0/8', '0.0.0.0', '::1') })) ?? '', /listener/, url);
  });

  test('has to be allowed by its port; a range is meant for others', async () => {
    assert.match((await refusal('http://127.0.0.1:4680/', { ...own, allowed: allowing('127.0.0.0/8') })) ?? '', /listener/);
    assert.equal(await refusal('http://127.0.0.1:4681/', { ...own, allowed: allowing('127.0.0.0/8') }), undefined);
    assert.equal(await refusal('http://127.0.0.1:4680/', { ...own, allowed: allowing('127.0.0.1:4680') }), undefined);
    assert.equal(await refusal('http://iot.example:4680/', { ...own, allowed: allowing('iot.example:4680') }), undefined);
  });

  test('what is exempt may go anywhere', async () => {
    for (const url of ['http://127.0.0.1:4680/', 'http://iot.example:4680/', 'http://10.0.0.1/'])
      assert.equal(await refusal(url, own, true), undefined, url);
  });
});

test('the root of the home account is exempt, and nobody else', () => {
  const egress = testEgress({ homeAccountId: '111111111111' });
  assert.equal(egress.exempts('111111111111', true), true);
  for (const [account, byRoot] of [
    ['111111111111', false],
    ['111111111111', undefined],
    ['222222222222', true],
    [undefined, true],
  ] as const)
    assert.equal(egress.exempts(account, byRoot), false);
  assert.equal(isRoot({ accountId: '111111111111', arn: 'arn:aws:iam::111111111111:root' }), true);
  for (const arn of [
    'arn:aws:iam::222222222222:root',
    'arn:aws:iam::111111111111:user/root',
    'arn:aws:iam::111111111111:user/a:root',
  ])
    assert.equal(isRoot({ accountId: '111111111111', arn }), false, arn);
});

test('a host is fixed when it has ended before the first template', () => {
  for (const text of [
    'http://127.0.0.1/',
    'http://127.0.0.1',
    'http://127.0.0.1/${a}',
    'https://h:1/a/${b}?${c}',
    'http://h?${a}',
    'arn:aws:lambda:x',
  ])
    assert.equal(hasFixedHost(text), true, text);
  for (const text of [
    'http://${a}',
    'http://127.0.0.1${a}',
    'http://127.0.0.1:${a}/',
    'http://127.0.0.1:8${a}/',
    '${a}',
    'http:${a}',
    'http://a\\${b}',
    'http://h${a}/b',
    'http:/${a}//h/',
  ])
    assert.equal(hasFixedHost(text), false, text);
});

test('a request goes to the address that was checked, under its name; a kept connection serves no other address', async () => {
  const seen: (string | undefined)[][] = [];
  const server = createServer((request, response) => {
    seen.push([request.headers.host, request.socket.localAddress, String(request.socket.remotePort)]);
    response.end();
  }).listen(0, '0.0.0.0');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    const asked: string[] = [];
    const answers = ['127.0.0.1', '127.0.0.1', '127.0.0.2'];
    const egress = testEgress({
      resolve: async (host) => {
        asked.push(host);
        return four(answers[asked.length - 1] ?? '');
      },
    });
    for (const _ of answers) {
      const signal = AbortSignal.timeout(5000);
      const given = { method: 'POST', headers: {}, signal, exempt: false, keepAlive: true };
      const request = await openRequest(egress, new URL(`http://hook.example:${port}/`), given);
      request.end();
      const [response] = await once(request, 'response');
      response.resume();
      await once(response, 'end');
      // The connection is free for the next request in the turn after that.
      await new Promise(setImmediate);
    }
    assert.deepEqual(asked, ['hook.example', 'hook.example', 'hook.example']);
    assert.deepEqual(
      seen.map(([host, address]) => [host, address]),
      [
        [`hook.example:${port}`, '127.0.0.1'],
        [`hook.example:${port}`, '127.0.0.1'],
        [`hook.example:${port}`, '127.0.0.2'],
      ],
    );
    assert.equal(seen[0]?.[2], seen[1]?.[2]);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
