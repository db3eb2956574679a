import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ThingkeepError } from '../errors.ts';
import { parseRequest } from './parse-request.ts';
import { parseTagging, percentDecode, percentEncode } from './percent.ts';
import { route } from './route.ts';
import type { ServiceName } from './table.ts';

interface Given {
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

function parse(method: string, path: string, { query = '', headers = {}, body = '' }: Given = {}, service: ServiceName = 'iot') {
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  return parseRequest(route(method, path, [service]), { query, header: (name) => headers[name], body: bytes });
}

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof ThingkeepError, String(error));
    assert.equal(error.code, 'InvalidRequestException');
    return error.message;
  }
  return assert.fail('accepted');
}

test('labels, query, headers and body come together', () => {
  assert.deepEqual(parse('DELETE', '/things/a%3Ab', { query: 'expectedVersion=7&unknown=1' }), {
    thingName: 'a:b',
    expectedVersion: 7,
  });
  assert.deepEqual(parse('PUT', '/things/x/principals', { headers: { 'x-amzn-principal': 'arn' } }), {
    thingName: 'x',
    principal: 'arn',
  });
  assert.deepEqual(
    parse('POST', '/certificates', { query: 'setAsActive=true', body: '{"certificateSigningRequest":"pem","x":1}' }),
    {
      setAsActive: true,
      certificateSigningRequest: 'pem',
    },
  );
});

test('a long whose digits count is exact within 64 bits, and others are numbers', () => {
  const start = (value: string) => {
    const body = `{"targetArn":"t","commandArn":"c","parameters":{"p":{"L":${value}}}}`;
    const { parameters } = parse('POST', '/command-executions', { body }, 'iot-jobs-data');
    return (parameters as Record<string, { L: unknown }>).p?.L;
  };
  assert.deepEqual(['5', '-1e3', '9007199254740993', '9223372036854775807', '-9223372036854775808'].map(start), [
    5,
    -1000,
    9_007_199_254_740_993n,
    2n ** 63n - 1n,
    -(2n ** 63n),
  ]);
  for (const value of ['9223372036854775808', '-9223372036854775809', '1e18', '1.5'])
    assert.throws(() => start(value), { message: "NUMBER_VALUE can not be converted to Long at 'parameters.p.member.L'" }, value);
  const body = '{"expectedVersion":1234567890123456789}';
  assert.equal(parse('PATCH', '/things/x', { body }).expectedVersion, 1_234_567_890_123_456_800);
});

test('a member that is null is absent', () => {
  assert.deepEqual(parse('POST', '/things/x', { body: '{"thingTypeName":null}' }), { thingName: 'x' });
});

test('map keys of the caller touch nothing', () => {
  const input = parse('POST', '/things/x', { body: '{"attributePayload":{"attributes":{"__proto__":"a","constructor":"b"}}}' });
  const { attributes } = input.attributePayload as { attributes: Record<string, string> };
  assert.equal(
    refusal(() => parse('POST', '/things/x', { body: '{"attributePayload":{"attributes":{"a b":"a"}}}' })).includes('Map keys'),
    true,
  );
  assert.deepEqual(Object.entries(attributes), [
    ['__proto__', 'a'],
    ['constructor', 'b'],
  ]);
  assert.equal(Object.getPrototypeOf(attributes), null);
});

test('payload members take the whole body', () => {
  const body = Uint8Array.of(0, 255, 1);
  assert.deepEqual(parse('POST', '/topics/a%2Fb', { query: 'qos=1&retain=true', body }, 'iot-data'), {
    topic: 'a/b',
    qos: 1,
    retain: true,
    payload: body,
  });
  assert.deepEqual(parse('POST', '/rules/r', { body: '{"sql":"s","actions":[]}', headers: { 'x-amz-tagging': 'a=b' } }), {
    ruleName: 'r',
    tags: 'a=b',
    topicRulePayload: { sql: 's', actions: [] },
  });
  assert.match(
    refusal(() => parse('POST', '/things/x/shadow', {}, 'iot-data')),
    /'payload' failed to satisfy constraint: Member must not be null/,
  );
});

test('user properties: base64 of JSON, or of JSON that was encoded once more, as boto3 does it (API reference Publish)', () => {
  const json = '[{"a":"b"}]';
  for (const sent of [json, JSON.stringify(json)]) {
    const input = parse('POST', '/topics/a', { headers: { 'x-amz-mqtt5-user-properties': btoa(sent) } }, 'iot-data');
    assert.equal(input.userProperties, json);
  }
  for (const sent of ['no base64!', btoa('{'), btoa('"{"')])
    refusal(() => parse('POST', '/topics/a', { headers: { 'x-amz-mqtt5-user-properties': sent } }, 'iot-data'));
});

test('timestamps: ISO 8601 in a query, epoch seconds in a body', () => {
  const query = 'startTime=2026-01-02T03%3A04%3A05Z&endTime=1767323045';
  const input = parse('GET', '/audit/mitigationactions/tasks', { query });
  assert.deepEqual([input.startTime, input.endTime], [new Date('2026-01-02T03:04:05Z'), new Date('2026-01-02T03:04:05Z')]);
  for (const bad of ['startTime=yesterday&endTime=1', 'startTime=9999999999999999&endTime=1', 'startTime=&endTime=1'])
    refusal(() => parse('GET', '/audit/mitigationactions/tasks', { query: bad }));
});

test('text of booleans and integers is taken strictly', () => {
  for (const text of ['True', '1', '', 'yes', 'true ', 'null'])
    refusal(() => parse('POST', '/keys-and-certificate', { query: `setAsActive=${text}` }));
  for (const text of ['1.0', '1e2', '0x1', '', ' 1', '99999999999999999999', '2147483648', 'NaN', '+1'])
    refusal(() => parse('GET', '/things', { query: `maxResults=${encodeURIComponent(text)}` }));
  refusal(() => parse('GET', '/things', { query: 'maxResults=1&maxResults=2' }));
  refusal(() => parse('GET', '/things', { query: 'maxResults=%zz' }));
});

test('bodies that are not what the operation takes', () => {
  const bodies = [
    '[]',
    '"x"',
    'null',
    '1',
    '{',
    '{"thingTypeName":1}',
    '{"thingTypeName":["a"]}',
    '{"attributePayload":[]}',
    '{"attributePayload":{"attributes":{"a":null}}}',
  ];
  for (const body of bodies) refusal(() => parse('POST', '/things/x', { body }));
  refusal(() => parse('POST', '/things/x', { body: Uint8Array.of(0x7b, 0xff, 0x7d) }));
  refusal(() => parse('PATCH', '/things/x', { body: '{"expectedVersion":1.5}' }));
  refusal(() => parse('PATCH', '/things/x', { body: '{"expectedVersion":1e999}' }));
  refusal(() => parse('PATCH', '/things/x', { body: '{"expectedVersion":1e300}' }));
  refusal(() => parse('POST', '/rules/r', { headers: { 'x-amz-tagging': 'a=%zz' }, body: '{"sql":"s","actions":[]}' }));
});

test('whatever the body, the answer is an input or a refusal', () => {
  const member = fc.constantFrom('thingTypeName', 'attributePayload', 'attributes', 'merge', 'billingGroupName', '__proto__');
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.jsonValue(),
      fc.dictionary(member, tie('value')),
      fc.array(tie('value'), { maxLength: 3 }),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(member, value), (body) => {
      try {
        parse('POST', '/things/x', { body: JSON.stringify(body) });
      } catch (error) {
        assert.ok(error instanceof ThingkeepError && error.code === 'InvalidRequestException', String(error));
      }
    }),
  );
});

test('percent-encoding goes both ways, and tags come out of it', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => percentDecode(percentEncode(text)) === text));
  assert.deepEqual(parseTagging('a=b&c%20d=e+f&g='), [
    { Key: 'a', Value: 'b' },
    { Key: 'c d', Value: 'e f' },
    { Key: 'g', Value: '' },
  ]);
  for (const bad of ['%zz=1', '=1', 'a=b&=c']) assert.equal(parseTagging(bad), undefined);
});

test('a header is found whatever case the model writes it in', () => {
  const header = (name: string): string | undefined => (name === 'x-amz-invocation-type' ? 'Event' : undefined);
  const invoke = route('POST', '/2015-03-31/functions/f/invocations', ['lambda']);
  const input = parseRequest(invoke, { query: '', header, body: new Uint8Array(0) });
  assert.deepEqual(input, { FunctionName: 'f', InvocationType: 'Event' });
});
