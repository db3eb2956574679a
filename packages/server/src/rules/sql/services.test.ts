/** Functions that ask other services: when they are asked, with what, how often, and what their failure gives. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExternalFunction, ExternalServices, RuleMessage } from './contract.ts';
import { SqlEvaluationError } from './evaluation-error.ts';
import { RuleQuery } from './rule-query.ts';

type Call = readonly [name: ExternalFunction, args: readonly unknown[]];

/** Services that note their calls; `answer` may throw. */
function services(answer: (...call: Call) => unknown): ExternalServices & { readonly calls: Call[] } {
  const calls: Call[] = [];
  let drawn = 0;
  return {
    calls,
    accountId: '123456789012',
    region: 'us-east-1',
    random: () => ++drawn / 1000,
    uuid: () => `uuid-${++drawn}`,
    call: async (name, args) => {
      calls.push([name, args]);
      return answer(name, args);
    },
  };
}

const message = (payload: string): RuleMessage => ({ topic: 't', payload: Buffer.from(payload), receivedAt: 0 });

async function run(sql: string, payload: string, asked: ExternalServices): Promise<string | undefined> {
  const query = RuleQuery.parse(sql, '2016-03-23');
  return (await query.run(query.begin(message(payload), asked)))?.payload.toString();
}

test('each function asks its service with plain JSON [iot-sql-functions]', async () => {
  const table: readonly (readonly [string, Call])[] = [
    [`aws_lambda('arn:f', {'n': n})`, ['aws_lambda', ['arn:f', { n: 1.5 }]]],
    [`aws_lambda('arn:f', *)`, ['aws_lambda', ['arn:f', { n: 1.5, big: 12345678901234567000 }]]],
    [`get_thing_shadow('T', 'r')`, ['get_thing_shadow', ['T', 'r']]],
    [`get_thing_shadow('T', 'S', 'r')`, ['get_thing_shadow', ['T', 'S', 'r']]],
    [`get_registry_data('DescribeThing', 'T', 'r')`, ['get_registry_data', ['DescribeThing', 'T', 'r']]],
    [`get_dynamodb('T', 'pk', n, 'r')`, ['get_dynamodb', ['T', 'pk', 1.5, 'r']]],
    [`get_dynamodb('T', 'pk', n, 'sk', 'x', 'r')`, ['get_dynamodb', ['T', 'pk', 1.5, 'sk', 'x', 'r']]],
    [`get_secret('id', 'SecretString', 'r')`, ['get_secret', ['id', 'SecretString', 'r']]],
    [`get_secret('id', 'SecretString', 'key', 'r')`, ['get_secret', ['id', 'SecretString', 'key', 'r']]],
    [
      `machinelearning_predict('m', 'r', {'k': {'i': 'v'}, 'z': 0})`,
      ['machinelearning_predict', ['m', 'r', { k: '{"i":"v"}', z: 0 }]],
    ],
    [
      `decode(encode(*, 'base64'), 'proto', 'b', 'k', 'f.proto', 'M')`,
      ['decode_proto', [Buffer.from('{"n":1.5,"big":12345678901234567890}').toString('base64'), 'b', 'k', 'f.proto', 'M']],
    ],
    [
      `decode(*, 'proto', 'b', 'k', 'f.proto', 'M')`,
      ['decode_proto', [Buffer.from('{"n":1.5,"big":12345678901234567890}').toString('base64'), 'b', 'k', 'f.proto', 'M']],
    ],
  ];
  for (const [expression, call] of table) {
    const asked = services(() => ({ answer: [1] }));
    const result = await run(`SELECT ${expression}.answer AS r`, '{"n":1.5,"big":12345678901234567890}', asked);
    assert.equal(result, '{"r":[1]}', expression);
    assert.deepEqual(asked.calls, [call], expression);
  }
});

test('arguments that are none are not asked for', async () => {
  for (const expression of [
    `aws_lambda(1, *)`,
    `aws_lambda('arn', nothing)`,
    `get_thing_shadow('T')`,
    `get_thing_shadow(nothing, 'r')`,
    `get_registry_data('DeleteThing', 'T', 'r')`,
    `get_dynamodb('T', 'pk', nothing, 'r')`,
    `get_dynamodb('T', 'pk', 1, 'sk', 'r')`,
    `get_secret('id', 'Other', 'r')`,
    `machinelearning_predict('m', 'r', 5)`,
    `decode(1, 'proto', 'b', 'k', 'f', 'm')`,
    `decode('aa', 'base64', 'b', 'k', 'f', 'm')`,
  ]) {
    const asked = services(() => 1);
    assert.equal(await run(`SELECT isUndefined(${expression}) AS r`, '{}', asked), '{"r":true}', expression);
    assert.deepEqual(asked.calls, [], expression);
  }
});

test('a call that fails gives Undefined, and get_or_default its default', async () => {
  const asked = services(() => {
    throw new TypeError('down');
  });
  assert.equal(
    await run(`SELECT aws_lambda('a', *).x AS x, get_or_default(aws_lambda('b', *), 'd') AS y, 1 AS z`, '{}', asked),
    '{"y":"d","z":1}',
  );
  assert.equal(asked.calls.length, 2);
});

test('one call for each place and element, the same random values in every pass', async () => {
  const asked = services((_, [, input]) => (input as { v: number }).v * 10);
  const result = await run(
    `SELECT newuuid() AS id, rand() AS r, (SELECT VALUE aws_lambda('f', {'v': v}) FROM list) AS all`,
    '{"list":[{"v":1},{"v":2},{"v":3}]}',
    asked,
  );
  assert.equal(result, '{"id":"uuid-1","r":0.002,"all":[10,20,30]}');
  assert.equal(asked.calls.length, 3);
});

test('SET asks once for the query and all templates [iot-sql-set]', async () => {
  const asked = services(() => ({ name: 'n' }));
  const query = RuleQuery.parse(`SET @s = get_thing_shadow('T', 'r') SELECT @s.name AS a WHERE @s.name = 'n'`, '2016-03-23');
  const template = query.template(`x/$`.concat('{@s.name}'));
  assert.equal(query.waits, true);
  const scope = query.begin(message('{}'), asked);
  assert.equal((await query.run(scope))?.payload.toString(), '{"a":"n"}');
  assert.equal(await template.render(scope), 'x/n');
  assert.equal(asked.calls.length, 1);
});

test('a template may ask where the query does not', async () => {
  const asked = services(() => 'secret');
  const query = RuleQuery.parse('SELECT *', '2016-03-23');
  assert.equal(query.waits, false);
  const scope = query.begin(message('{}'), asked);
  assert.ok(!(query.run(scope) instanceof Promise));
  const template = query.template('Bearer $'.concat(`{get_secret('id', 'SecretString', 'r')}`));
  assert.equal(await template.render(scope), 'Bearer secret');
});

test('what is not wanted is not asked: WHERE first, then the items', async () => {
  const asked = services(() => 1);
  assert.equal(await run(`SELECT aws_lambda('f', *) AS a WHERE false`, '{}', asked), undefined);
  assert.equal(await run(`SELECT get_or_default(1, aws_lambda('f', *)) AS a`, '{}', asked), '{"a":1}');
  assert.equal(await run(`SELECT a WHERE false AND aws_lambda('f', *) = 1`, '{}', asked), undefined);
  assert.deepEqual(asked.calls, []);
});

test('answers that are too deep, or no JSON, are Undefined', async () => {
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i += 1) deep = [deep];
  const ring: Record<string, unknown> = {};
  ring.self = ring;
  for (const answer of [deep, ring, () => 1, 1n])
    assert.equal(
      await run(
        `SELECT isUndefined(aws_lambda('f', *)) AS a`,
        '{}',
        services(() => answer),
      ),
      '{"a":true}',
    );
});

const exceeded = (bound: string) => (error: unknown) => error instanceof SqlEvaluationError && error.bound === bound;

test('more calls than a message may cost fail the rule', async () => {
  const list = JSON.stringify({ list: Array.from({ length: 30 }, (_, v) => ({ v })) });
  const asked = services(() => 1);
  await assert.rejects(run(`SELECT (SELECT VALUE aws_lambda('f', *) FROM list) AS a`, list, asked), exceeded('calls'));
  assert.equal(asked.calls.length, 20);
});

test('get_dynamodb twice in one statement fails the rule, before anything is asked [iot-sql-functions: get_dynamodb]', () => {
  const asked = services(() => 1);
  const query = RuleQuery.parse(`SELECT get_dynamodb('t', 'k', 1, 'r') AS a, get_dynamodb('t', 'k', 2, 'r') AS b`, '2016-03-23');
  assert.throws(() => query.run(query.begin(message('{}'), asked)), exceeded('calls'));
  assert.deepEqual(asked.calls, []);
});
