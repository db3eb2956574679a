/** Payload templates, values and conditions of parameters (fact sheet 41.1; developer guide, page iot-remote-command-concepts). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from 'cbor2';
import { checkConditions, checkValue, storedValue } from './parameters.ts';
import { fillTemplate, placeholdersOf } from './payload-template.ts';
import type { ConditionRecord, ParameterRecord, ParameterType, StoredValue } from './store.ts';

const parameter = (name: string): string => `\${aws:iot:commandexecution::parameter:${name}}`;
const TIMEOUT = '${aws:iot:commandexecution::executionTimeoutSec}';
const values = (given: Record<string, StoredValue>) => ({ parameters: new Map(Object.entries(given)), timeoutSeconds: 10 });

test('a text that is a placeholder becomes a value of its type; the rest stays as it was written', () => {
  const template = `{ "b":"${parameter('b')}", "n" : 1.0,\n"t":"${TIMEOUT}", "m":"at ${parameter('i')} of ${TIMEOUT}", "x":[1e300,"\\u00e4"] }`;
  assert.deepEqual([...placeholdersOf(template, 'JSON')], ['b', 'i']);
  assert.equal(
    fillTemplate(template, values({ b: { B: true }, i: { I: -7 } }), 'JSON').toString(),
    '{ "b":true, "n" : 1.0,\n"t":10, "m":"at -7 of 10", "x":[1e300,"ä"] }',
  );
});

test('values of every type, in JSON and CBOR', () => {
  const given: Record<string, StoredValue> = {
    s: { S: 'a "text" with $& and ${x}' },
    i: { I: 5 },
    d: { D: 1.5 },
    l: { L: -4_000_000_000 },
    ul: { UL: '18446744073709551615' },
    b: { B: false },
    bin: { BIN: 'AQID' },
  };
  const template = JSON.stringify(Object.fromEntries(Object.keys(given).map((name) => [name, parameter(name)])));
  const json = fillTemplate(template, values(given), 'JSON').toString();
  assert.equal(
    json,
    '{"s":"a \\"text\\" with $& and ${x}","i":5,"d":1.5,"l":-4000000000,"ul":18446744073709551615,"b":false,"bin":"AQID"}',
  );
  assert.deepEqual(decode(fillTemplate(template, values(given), 'CBOR')), {
    ...{ s: 'a "text" with $& and ${x}', i: 5, d: 1.5, l: -4_000_000_000, ul: 18_446_744_073_709_551_615n, b: false },
    bin: Buffer.of(1, 2, 3),
  });
  assert.equal(fillTemplate(`"${parameter('s')}!"`, values(given), 'JSON').toString(), '"a \\"text\\" with $& and ${x}!"');
});

test('integers of 64 bits, doubles and the numbers of the template are exact in JSON and CBOR (RFC 8949, 3.3, 3.4.3)', () => {
  const given = values({ l: { L: '-9223372036854775808' }, d: { D: 2 }, old: { L: 5 } });
  const template = `{"l":"${parameter('l')}","d":"${parameter('d')}","o":"${parameter('old')}","t":"d${parameter('d')}","n":[1,1.0,1.50,12345678901234567890,-18446744073709551617,9007199254740993]}`;
  assert.equal(
    fillTemplate(template, given, 'JSON').toString(),
    '{"l":-9223372036854775808,"d":2,"o":5,"t":"d2","n":[1,1.0,1.50,12345678901234567890,-18446744073709551617,9007199254740993]}',
  );
  const members = ['616c 3b7fffffffffffffff', '6164 f94000', '616f 05', '6174 626432', '616e'];
  const numbers = ['86 01', 'f93c00', 'f93e00', '1bab54a98ceb1f0ad2', 'c349010000000000000000', '1b0020000000000001'];
  const wanted = ['a5', ...members, ...numbers].join('').replaceAll(' ', '');
  assert.equal(fillTemplate(template, given, 'CBOR').toString('hex'), wanted);
});

test('a number that no double holds stays in JSON, and has no form in CBOR', () => {
  const template = `{"n":1e400,"t":"${TIMEOUT}"}`;
  assert.deepEqual([...placeholdersOf(template, 'JSON')], []);
  assert.equal(fillTemplate(template, values({}), 'JSON').toString(), '{"n":1e400,"t":10}');
  assert.throws(() => placeholdersOf(template, 'CBOR'), { code: 'ValidationException', message: /Number out of range/ });
});

test('what is no template is refused', () => {
  const bad = [
    '{"a":1}',
    `{"${parameter('a')}":1}`,
    `{"a":${parameter('a')}}`,
    '{"a":"${aws:iot:commandexecution::other}","b":"${aws:iot:commandexecution::executionTimeoutSec}"}',
    `${'['.repeat(17)}"${TIMEOUT}"${']'.repeat(17)}`,
    '',
  ];
  for (const each of bad) assert.throws(() => placeholdersOf(each, 'JSON'), { code: 'ValidationException' }, each);
  assert.throws(() => fillTemplate(`"${parameter('a')}"`, values({}), 'JSON'), { code: 'ValidationException' });
});

const typed = (type: ParameterType, ...conditions: (readonly [string, ConditionRecord['operand']])[]): ParameterRecord => ({
  name: 'p',
  type,
  valueConditions: conditions.map(([operator, operand]) => ({
    comparisonOperator: operator as ConditionRecord['comparisonOperator'],
    operand,
  })),
});
const holds = (type: ParameterType, operator: string, operand: ConditionRecord['operand'], value: StoredValue): boolean => {
  const of = typed(type, [operator, operand]);
  checkConditions(of);
  try {
    checkValue(of, value);
    return true;
  } catch {
    return false;
  }
};

test('conditions of numbers and texts; the bounds of a range belong to it', () => {
  const cases: readonly (readonly [string, ConditionRecord['operand'], number[], number[]])[] = [
    ['EQUALS', { number: '5.0' }, [5], [4]],
    ['NOT_EQUALS', { number: '5' }, [4], [5]],
    ['LESS_THAN', { number: '5' }, [4], [5]],
    ['LESS_THAN_EQUALS', { number: '5' }, [5], [6]],
    ['GREATER_THAN', { number: '-5' }, [-4], [-5]],
    ['GREATER_THAN_EQUALS', { number: '5' }, [5], [4]],
    ['IN_RANGE', { numberRange: { min: '60', max: '80' } }, [60, 80], [59, 81]],
    ['NOT_IN_RANGE', { numberRange: { min: '60', max: '80' } }, [59, 81], [60, 80]],
    ['IN_SET', { numbers: ['1', '2'] }, [2], [3]],
    ['NOT_IN_SET', { numbers: ['1', '2'] }, [3], [1]],
  ];
  for (const [operator, operand, good, bad] of cases)
    for (const [type, member] of [
      ['INTEGER', 'I'],
      ['DOUBLE', 'D'],
      ['LONG', 'L'],
    ] as const) {
      for (const value of good) assert.ok(holds(type, operator, operand, { [member]: value }), `${operator} ${value}`);
      for (const value of bad) assert.ok(!holds(type, operator, operand, { [member]: value }), `${operator} ${value}`);
    }
  assert.ok(!holds('LONG', 'LESS_THAN', { number: '9223372036854775806' }, { L: '9223372036854775807' }));
  assert.ok(holds('LONG', 'LESS_THAN', { number: '9223372036854775807' }, { L: '9223372036854775806' }));
  assert.ok(holds('LONG', 'LESS_THAN', { number: '9007199254740993.5' }, { L: '9007199254740993' }));
  assert.ok(!holds('LONG', 'EQUALS', { number: '9007199254740992e0' }, { L: '9007199254740993' }));
  assert.ok(holds('DOUBLE', 'IN_RANGE', { numberRange: { min: '-0.5', max: '1e999' } }, { D: Number.MAX_VALUE }));
  assert.ok(!holds('UNSIGNEDLONG', 'EQUALS', { number: '18446744073709551615' }, { UL: '18446744073709551614' }));
  assert.ok(holds('STRING', 'IN_SET', { strings: ['a', 'b'] }, { S: 'b' }));
  assert.ok(!holds('STRING', 'NOT_IN_SET', { strings: ['a', 'b'] }, { S: 'b' }));
  assert.ok(holds('STRING', 'EQUALS', { string: 'a' }, { S: 'a' }));
  assert.ok(!holds('STRING', 'NOT_EQUALS', { string: 'a' }, { S: 'a' }));
});

test('conditions that a type can not have, and values of another type, are refused', () => {
  const bad: readonly ParameterRecord[] = [
    typed('BOOLEAN', ['EQUALS', { string: 'true' }]),
    typed('BINARY', ['EQUALS', { string: 'a' }]),
    typed('STRING', ['LESS_THAN', { number: '1' }]),
    typed('STRING', ['EQUALS', { number: '1' }]),
    typed('INTEGER', ['EQUALS', { string: '1' }]),
    typed('INTEGER', ['EQUALS', { number: 'one' }]),
    typed('INTEGER', ['IN_RANGE', { numberRange: { min: '1', max: '' } }]),
    typed('INTEGER', ['EQUALS', { number: '1', numbers: ['1'] }]),
    { ...typed('INTEGER', ['EQUALS', { number: '1' }]), type: undefined },
  ];
  for (const each of bad) assert.throws(() => checkConditions(each), { code: 'ValidationException' }, JSON.stringify(each));
  const values: readonly (readonly [ParameterType | undefined, object])[] = [
    ['INTEGER', { S: '1' }],
    ['INTEGER', { I: 2 ** 31 }],
    ['UNSIGNEDLONG', { UL: '18446744073709551616' }],
    [undefined, {}],
    [undefined, { S: 'a', I: 1 }],
  ];
  for (const [type, value] of values) assert.throws(() => storedValue('p', type, value), { code: 'ValidationException' });
  assert.deepEqual(storedValue('p', 'BINARY', { BIN: new Uint8Array([1, 2, 3]) }), { BIN: 'AQID' });
});

test('a payload that becomes too large is given up as soon as it is, however often a value is named', () => {
  let reads = 0;
  class Counted extends Map<string, StoredValue> {
    override get(name: string): StoredValue | undefined {
      reads += 1;
      return super.get(name);
    }
  }
  const parameters = new Counted([['s', { S: 'x'.repeat(60_000) }]]);
  for (const [format, each] of [
    ['JSON', `"${parameter('s')}"`],
    ['CBOR', `"${parameter('s')} "`],
  ] as const) {
    reads = 0;
    const template = `[${Array.from({ length: 500 }, () => each).join()}]`;
    const tooLarge = { name: 'ValidationException', message: 'The payload is larger than 131072 bytes' };
    assert.throws(() => fillTemplate(template, { parameters, timeoutSeconds: 10 }, format), tooLarge);
    assert.equal(reads, 3, format);
  }
  const fits = fillTemplate(`["${parameter('s')}","${parameter('s')}"]`, { parameters, timeoutSeconds: 10 }, 'JSON');
  assert.equal(fits.length, 120_007);
});
