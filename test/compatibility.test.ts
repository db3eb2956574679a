/** COMPATIBILITY.md says of every operation whether it works; the running server is asked whether that is so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import type { ServiceName } from '@thingkeep/wire/api/model.ts';
import { operationsOf, SERVICE_NAMES, signingName } from '@thingkeep/wire/api/table.ts';
import { LIMITS } from '@thingkeep/wire/limits.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { textOf } from './architecture/sources.ts';
import { everyOperation, validRequest } from './conformance/constraints.ts';
import { startServer, type TestServer } from './end-to-end/test-core.ts';

interface Row {
  readonly operation: string;
  readonly state: string;
  readonly note: string;
}

const STATES = new Set(['works', 'differs', 'not yet']);

/** Rows of the table below the heading that begins with the service's name in code. */
function rowsOf(service: string): Row[] {
  const [, section = ''] = textOf('COMPATIBILITY.md').split(`\n### \`${service}\``);
  return [...(section.split(/\n#/)[0] ?? '').matchAll(/^\| ([A-Z]\w+) +\| ([a-z ]+?) +\| ?(.*?) *\|$/gm)].map(
    ([, operation = '', state = '', note = '']) => ({ operation, state, note }),
  );
}

const rows = new Map(SERVICE_NAMES.map((service): [ServiceName, Row[]] => [service, rowsOf(service)]));

test('every operation has one row, in the order of their names', () => {
  for (const service of SERVICE_NAMES)
    assert.deepEqual(
      rows.get(service)?.map(({ operation }) => operation),
      operationsOf(service)
        .map(({ name }) => name)
        .sort(),
      `the table of ${service} in COMPATIBILITY.md`,
    );
  assert.equal([...rows.values()].flat().length, 321);
});

test('a row says works, differs (and how), or not yet', () => {
  for (const { operation, state, note } of [...rows.values()].flat()) {
    assert.ok(STATES.has(state), `${operation}: ${state}`);
    if (state === 'differs') assert.notEqual(note, '', `${operation} differs; say how`);
  }
});

test('no row says that something is still to come: what is there is told as it is', () => {
  for (const { operation, note } of [...rows.values()].flat())
    assert.doesNotMatch(note, /not yet|none yet|no longer|yet applied/, `${operation}: ${note}`);
});

test('limits of MQTT are those that are kept', () => {
  const [, section = ''] = textOf('COMPATIBILITY.md').split('\n## MQTT\n');
  const text =
    section
      .split('\n## ')[0]
      ?.replace(/\s+/g, ' ')

      .replace(/(\d),(\d{3})/g, '$1$2') ?? '';
  const number = (words: RegExp): number =>
    Number(words.exec(text)?.[1] ?? assert.fail(`COMPATIBILITY.md does not say ${words}`));
  const said: readonly (readonly [RegExp, number])[] = [
    [/keep-alive between (\d+) and/, LIMITS.keepAliveLeast],
    [/keep-alive between \d+ and (\d+) seconds/, LIMITS.keepAliveMost],
    [/client ids of (\d+) bytes/, LIMITS.clientId],
    [/topics of (\d+) bytes/, LIMITS.topic],
    [/bytes and (\d+) slashes/, LIMITS.topicSlashes],
    [/payloads of (\d+) KiB/, LIMITS.payload / 1024],
    [/(\d+) filters in a SUBSCRIBE/, LIMITS.filtersPerSubscribe],
    [/(\d+) subscriptions of a connection/, LIMITS.subscriptionsPerConnection],
    [/(\d+) messages in flight/, LIMITS.inFlight],
    [/(\d+) topic aliases/, LIMITS.topicAliases],
    [/Maximum Packet Size under (\d+) bytes/, LIMITS.smallestMaximumPacketSize],
  ];
  for (const [words, kept] of said) assert.equal(number(words), kept, String(words));
  assert.equal(REASON.QUOTA_EXCEEDED, number(/Maximum Packet Size under 512 bytes \| \| CONNACK (0x\d+)/));
});

/** Code of the answer to the least valid request; empty when it succeeds. */
async function askedFor(server: TestServer, operation: ReturnType<typeof everyOperation>[number]): Promise<string> {
  const { method, path, query, headers, body } = validRequest(operation);
  const url = new URL(server.url);
  const pairs = query === '' ? [] : query.split('&').map((pair) => pair.split('=').map(decodeURIComponent) as [string, string]);
  const signer = new SignatureV4({
    service: signingName(operation.service),
    region: 'us-east-1',
    credentials: server.credentials(),
    sha256: Sha256,
  });
  const signed = await signer.sign({
    method,
    protocol: 'http:',
    hostname: url.hostname,
    port: Number(url.port),
    path,
    query: Object.fromEntries(pairs),
    headers: { ...headers, host: url.host },
    body,
  });
  const answer = await fetch(`${server.url}${path}${query === '' ? '' : `?${query}`}`, {
    method,
    headers: signed.headers,
    body: body.length === 0 ? undefined : typeof body === 'string' ? body : new Uint8Array(body),
  });
  const text = await answer.text();
  assert.ok(answer.status < 500, `${operation.name} never answers a 5xx, but ${answer.status} ${text}`);
  const code = (answer.headers.get('x-amzn-errortype') ?? '').replace(/:$/, '');
  if (code === 'UnknownOperationException')
    assert.equal((JSON.parse(text) as { message: string }).message, `${operation.name} is not implemented by Thingkeep yet`);
  else
    assert.ok(
      // Of every service, declared or not (IAM user guide, page troubleshoot_access-denied).
      code === '' || code === 'AccessDeniedException' || Object.hasOwn(operation.errors, code),
      `${operation.name} answers ${answer.status} ${code}: ${text}`,
    );
  return code;
}

test('the server has a handler for each operation that works or differs, and for no other', async () => {
  await using server = await startServer();
  const wrong: string[] = [];
  for (const operation of everyOperation()) {
    const handled = (await askedFor(server, operation)) !== 'UnknownOperationException';
    const state = rows.get(operation.service)?.find((row) => row.operation === operation.name)?.state;
    if (handled !== (state === 'works' || state === 'differs'))
      wrong.push(
        `${operation.service} ${operation.name}: COMPATIBILITY.md says ${state}, the server has ${handled ? 'a' : 'no'} handler`,
      );
  }
  assert.deepEqual(wrong, [], wrong.join('\n'));
});
