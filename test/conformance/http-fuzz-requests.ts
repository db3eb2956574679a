/**
 * The requests of the HTTP fuzz: each made from a seed and its number, malformed on the wire or well signed and hostile within.
 */
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { operationsOf, signingName } from '@thingkeep/wire/api/table.ts';

export interface ShotOptions {
  readonly host: string;
  readonly port: number;
  /** The same seed makes the same requests. */
  readonly seed: number;
  /** With these, every other request is well signed, so that it reaches routing, parsing and handlers. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly region?: string;
}

/** mulberry32: a small generator whose whole state is one 32-bit word. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Dice {
  readonly roll: () => number;
  constructor(seed: number) {
    this.roll = generator(seed);
  }
  below(bound: number): number {
    return Math.floor(this.roll() * bound);
  }
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }
  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }
}

const OPERATIONS = (['iot', 'iot-data', 'iot-jobs-data'] as const).flatMap(operationsOf);
const METHODS = [
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'PROPFIND',
  'get',
  'G\u0000T',
  '',
  'A'.repeat(300),
];
const LABELS = [
  'x',
  '%2e%2e',
  '..',
  '.',
  '%00',
  '%',
  '%zz',
  '%ff%fe',
  '%ED%A0%80',
  '',
  'a'.repeat(9_000),
  '__proto__',
  '$%7bx%7d',
  '%2F',
  'a b',
  '\u00e9',
  '{}',
  '*',
  ';',
  '%252e',
];
const NUMBERS = ['0', '-1', '1e9', '99999999999999999999', '0x10', '', ' 5', '5, 6', '+7', 'NaN', '1048577', '4294967296'];
const BODIES = [
  '',
  '{}',
  '[]',
  'null',
  '{"a":1,"a":2}',
  '{"thingTypeName":1e999}',
  '"\\ud800"',
  '{"__proto__":{"a":1}}',
  '['.repeat(50_000),
  '{"a":'.repeat(9_000),
  '\u0000',
];
const HEADERS = [
  'Authorization: AWS4-HMAC-SHA256',
  'Authorization: AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=',
  'Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/iot/aws4_request, SignedHeaders=host;host, Signature=zz',
  `Authorization: AWS4-HMAC-SHA256 ${'a=b,'.repeat(2_000)}`,
  `Authorization: AWS4-HMAC-SHA256 Credential=${'/'.repeat(5_000)}, SignedHeaders=${';'.repeat(3_000)}, Signature=0`,
  'Authorization: Basic YTpi',
  'Authorization: Bearer x',
  'X-Amz-Date: 20261399T999999Z',
  'X-Amz-Date: 20260102T030405Z',
  'X-Amz-Content-Sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'Content-Type: application/x-amz-json-1.1\u0001',
  'Expect: 100-continue',
  'Expect: 200-ok',
  'Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 99\r\nSec-WebSocket-Key: x',
  'Connection: close, keep-alive, foo',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: gzip',
  'Transfer-Encoding : chunked',
  'Host: b',
  'Host:',
  ' folded: line',
  ': no name',
  'no colon',
  'a\u0000b: c',
  'x: \u0007',
  'Origin: null',
  'Range: bytes=0-0,0-0,0-0',
  'Content-Encoding: gzip',
  'Content-Length: 5\r\nContent-Length: 6',
  'x-amz-tagging: %zz',
  'x-amzn-principal: \u00ff\u00fe',
];
const QUERIES = [
  '',
  'a=%zz',
  'maxResults=1&maxResults=2',
  '&&&===',
  'X-Amz-Algorithm=AWS4-HMAC-SHA256',
  'X-Amz-Signature=',
  '__proto__=1',
  `a=${'b'.repeat(8_000)}`,
  '%',
  '?',
  'Action=GetCallerIdentity',
];

export interface Shot {
  readonly kind: string;
  readonly bytes: Buffer;
  /** Whether the client ends its side after sending, as a truncating one does. */
  readonly end: boolean;
}

function targetOf(dice: Dice): { method: string; target: string } {
  const { method, path } = dice.pick(OPERATIONS);
  const filled = path.replace(/\{\w+\+?\}/g, () => dice.pick(LABELS));
  const query = dice.below(2) ? `?${dice.pick(QUERIES)}` : '';
  return { method: dice.below(4) ? method : dice.pick(METHODS), target: filled + query };
}

function request(dice: Dice): Buffer {
  const { method, target } = targetOf(dice);
  const version = dice.pick(['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/9', 'http/1.1', '']);
  const headers = Array.from({ length: dice.below(5) }, () => dice.pick(HEADERS));
  if (dice.below(10)) headers.unshift('Host: localhost');
  const body = Buffer.from(dice.pick(BODIES));
  const length = dice.below(4) ? String(body.length) : dice.pick(NUMBERS);
  if (dice.below(3)) headers.push(`Content-Length: ${length}`);
  const newline = dice.below(20) ? '\r\n' : dice.pick(['\n', '\r', '\r\r\n']);
  return Buffer.concat([
    Buffer.from(`${method} ${target} ${version}${newline}${headers.join(newline)}${newline}${newline}`, 'latin1'),
    body,
  ]);
}

function chunked(dice: Dice): Buffer {
  const { target } = targetOf(dice);
  const chunks = Array.from({ length: dice.below(6) }, () => {
    const data = 'x'.repeat(dice.below(2_000));
    const size = dice.below(5)
      ? data.length.toString(16)
      : dice.pick(['-1', 'ffffffffffffffffff', 'zz', '', '0x5', '5;ext=1', '00000000000000000005']);
    return `${size}\r\n${data}\r\n`;
  });
  const tail = dice.pick(['0\r\n\r\n', '0\r\nTrailer: x\r\n\r\n', '', '0\r\n']);
  return Buffer.from(
    `POST ${target} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.join('')}${tail}`,
    'latin1',
  );
}

function mutate(dice: Dice, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const times = 1 + dice.below(8);
  for (let time = 0; time < times && copy.length > 0; time++) copy[dice.below(copy.length)] = dice.below(256);
  return copy;
}

const KINDS: readonly [kind: string, make: (dice: Dice) => Buffer][] = [
  ['request', request],
  ['request', request],
  ['mutated request', (dice) => mutate(dice, request(dice))],
  ['mutated request', (dice) => mutate(dice, request(dice))],
  ['truncated request', (dice) => request(dice).subarray(0, 1 + dice.below(200))],
  ['chunked body', chunked],
  ['pipelined requests', (dice) => Buffer.concat(Array.from({ length: 2 + dice.below(10) }, () => request(dice)))],
  [
    'many headers',
    (dice) =>
      Buffer.from(
        `GET /things HTTP/1.1\r\nHost: x\r\n${Array.from({ length: dice.below(3_000) }, (_, n) => `h${n}: 1\r\n`).join('')}\r\n`,
      ),
  ],
  [
    'long header',
    (dice) =>
      Buffer.from(`GET /${'a'.repeat(dice.below(40_000))} HTTP/1.1\r\nHost: x\r\nx: ${'y'.repeat(dice.below(40_000))}\r\n\r\n`),
  ],
  ['noise', (dice) => dice.bytes(1 + dice.below(600))],
  ['TLS hello', (dice) => Buffer.concat([Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]), dice.bytes(300)])],
  [
    'large body',
    (dice) =>
      Buffer.from(
        `POST /things/x HTTP/1.1\r\nHost: x\r\nContent-Length: ${1_048_577 + dice.below(1e9)}\r\n\r\n${'z'.repeat(20_000)}`,
      ),
  ],
];

const JSON_KEYS = [
  'thingTypeName',
  'attributePayload',
  'attributes',
  'policyDocument',
  'tags',
  'Key',
  'sql',
  'actions',
  '__proto__',
  'constructor',
  'x',
];
const JSON_LEAVES = [
  'x',
  '',
  0,
  -1,
  1.5,
  1e300,
  2 ** 53,
  true,
  null,
  '\ud800',
  '\u0000',
  '\u{1F600}'.repeat(300),
  'a'.repeat(5_000),
];

function json(dice: Dice, depth: number): unknown {
  const kind = depth > 6 ? 0 : dice.below(3);
  if (kind === 0) return dice.pick(JSON_LEAVES);
  const length = dice.below(5);
  if (kind === 1) return Array.from({ length }, () => json(dice, depth + 1));
  return Object.fromEntries(Array.from({ length }, () => [dice.pick(JSON_KEYS), json(dice, depth + 1)]));
}

const SIGNED_LABELS = [
  'x',
  '%2e%2e',
  '%00',
  '%ff%fe',
  '',
  'a'.repeat(3_000),
  '__proto__',
  '%2F',
  '%252e',
  '%C3%A9',
  '*',
  '%24x',
  '%24aws%2Fthings',
];
const SIGNED_QUERIES: Record<string, string>[] = [
  {},
  { maxResults: '0' },
  { maxResults: '1e9' },
  { nextToken: '\u0000' },
  { nextToken: 'AAAA' },
  { pageSize: '1', marker: '====' },
  { expectedVersion: '-9' },
  { qos: '3' },
  { setAsActive: 'maybe' },
];

/** A request whose signature holds and whose content does not. */
async function signed(dice: Dice, { host, port, credentials, region = 'us-east-1' }: ShotOptions): Promise<Buffer> {
  const operation = dice.pick(OPERATIONS);
  const path = operation.path.replace(/\{\w+\+?\}/g, () => dice.pick(SIGNED_LABELS));
  const query = dice.pick(SIGNED_QUERIES);
  const document = JSON.stringify(json(dice, 0));
  const body = dice.pick([document, document, document, ...BODIES, mutate(dice, Buffer.from(document)).toString('utf8')]);
  const service = dice.below(20)
    ? signingName(operation.service)
    : dice.pick(['iot', 'iotdata', 'iotdevicegateway', 'iot-jobs-data', 'sts', 'ec2', 'thingkeep', 's3', '']);
  const signer = new SignatureV4({
    service,
    region,
    credentials: credentials ?? { accessKeyId: '', secretAccessKey: '' },
    sha256: Sha256,
  });
  const extra = dice.pick<Record<string, string>>([
    {},
    {},
    { 'x-amzn-principal': dice.pick(LABELS) },
    { 'x-amz-tagging': '%zz' },
    { 'x-amz-mqtt5-user-properties': 'e30=' },
  ]);
  const head = {
    method: operation.method,
    protocol: 'http:',
    hostname: host,
    port,
    path,
    query,
    headers: { host: `${host}:${port}`, ...extra },
    body,
  };
  const { headers } = await signer.sign(head);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const search = new URLSearchParams(query).toString().replaceAll('+', '%20');
  const start = `${operation.method} ${path}${search === '' ? '' : `?${search}`} HTTP/1.1\r\n`;
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from(`${start}${lines.join('')}Content-Length: ${bytes.length}\r\n\r\n`), bytes]);
}

/** The request with this number in the run of a seed. */
export async function shot(options: ShotOptions, index: number): Promise<Shot> {
  const dice = new Dice(Math.imul(options.seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  if (options.credentials !== undefined && index % 2 === 1)
    return { kind: 'signed request', bytes: await signed(dice, options), end: false };
  const [kind, make] = dice.pick(KINDS);
  return { kind, bytes: make(dice), end: dice.below(2) === 0 };
}
