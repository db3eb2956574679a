/** Hostile statements and payloads: nothing overflows, nothing runs long, nothing grows without bound. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { ExternalServices, RuleMessage } from './contract.ts';
import type { SqlVersion } from './dialect.ts';
import { PATTERNS, PatternCache } from './functions/pattern-cache.ts';
import { SQL_LIMITS } from './limits.ts';
import { exact, readNumber } from './numbers.ts';
import { SqlEvaluationError } from './evaluation-error.ts';
import { RuleQuery } from './rule-query.ts';
import { expressionText, anyExpression } from './testing/expression-cases.ts';

const SERVICES: ExternalServices = {
  accountId: '123456789012',
  region: 'us-east-1',
  random: () => 0.5,
  uuid: () => 'u',
  call: () => Promise.resolve(undefined),
};
const VERSIONS: readonly SqlVersion[] = ['2015-10-08', '2016-03-23', 'beta'];

const message = (payload: string | Buffer): RuleMessage => ({
  topic: 'a/b',
  payload: Buffer.from(payload as string),
  receivedAt: 0,
});

const run = (sql: string, payload: string | Buffer, version: SqlVersion = '2016-03-23') => {
  const query = RuleQuery.parse(sql, version);
  return query.run(query.begin(message(payload), SERVICES));
};

const exceeds = (sql: string, payload: string, bound: string): void =>
  assert.throws(
    () => run(sql, payload),
    (error) => error instanceof SqlEvaluationError && error.bound === bound,
    sql,
  );

const text = (sql: string, payload: string): string => {
  const result = run(sql, payload);
  assert.ok(result !== undefined && !(result instanceof Promise));
  return result.payload.toString();
};

const many = (count: number, element: string): string => `{"a":[${Array.from({ length: count }, () => element).join(',')}]}`;
const LIST = many(60_000, '1');
const WORD = JSON.stringify({ s: 'a'.repeat(120_000), b: 'b'.repeat(10_000) });

test('steps: queries within queries within queries', () => {
  exceeds(
    'SET @a = a SELECT (SELECT VALUE (SELECT VALUE (SELECT VALUE 1 FROM @a) FROM @a) FROM @a) AS r',
    many(300, '1'),
    'steps',
  );
});

test('steps: a list against a list', () => {
  exceeds('SET @a = a SELECT (SELECT VALUE 1 FROM @a WHERE 1 IN @a) AS r', many(5_000, '2'), 'steps');
});

test('steps: a pattern with many states on a long text', () => {
  exceeds(`SELECT regexp_matches(s, '(a{1,500}){1,2}b') AS r`, WORD, 'steps');
  exceeds(`SELECT regexp_replace(s, '.*x|a', '') AS r`, WORD, 'steps');
});

test('steps: patterns that come with the message', () => {
  const same = many(60, '"(a{1000})?"');
  assert.equal(text(`SELECT (SELECT VALUE regexp_matches('a', *) FROM a) AS r`, same), `{"r":[${'true,'.repeat(59)}true]}`);
  const distinct = JSON.stringify({ a: Array.from({ length: 60 }, (_, i) => `(a{1000})?${i}`) });
  exceeds(`SELECT (SELECT VALUE regexp_matches('a', *) FROM a) AS r`, distinct, 'steps');
});

test('a pattern of more states than one may have is none', () => {
  const many = JSON.stringify({ p: '(a{1000})?'.repeat(20) });
  const { compiled } = PATTERNS;
  assert.equal(text(`SELECT isUndefined(regexp_matches('a', p)) AS r`, many), '{"r":true}');
  assert.equal(PATTERNS.compiled, compiled);
  refused(`SELECT regexp_matches('a', '${'(a{1000})?'.repeat(190)}') AS r`);
  assert.equal(text(`SELECT isUndefined(regexp_matches('a', p)) AS r`, JSON.stringify({ p: 'a'.repeat(501) })), '{"r":true}');
});

/** Refused when it is parsed, and by no default: the message is the one of a budget. */
const refused = (sql: string, templates: readonly string[] = []): void =>
  assert.throws(
    () => {
      const query = RuleQuery.parse(sql, '2016-03-23');
      for (const each of templates) query.template(each);
    },
    (error) => error instanceof ThingkeepError && error.code === 'SqlParseException' && /at most \d+ /.test(error.message),
    sql.slice(0, 200),
  );
const list = (count: number, part: (index: number) => string): string =>
  Array.from({ length: count }, (_, i) => part(i)).join(',');

test('a rule has a budget of states for the regular expressions that stand in it, its templates included', () => {
  const column = (i: number): string => `regexp_matches(a,'(abcdefghij?){999}${i}') AS x${i}`;
  refused(`SELECT ${list(100, column)} FROM 'a'`);
  refused(`SELECT ${column(0)} FROM 'a'`);
  const some = (i: number): string => `regexp_substr(a, '(abc){300}${i}')`;
  refused(`SELECT ${list(5, some)} FROM 'a'`);
  refused(`SELECT ${list(3, some)} FROM 'a'`, ['$'.concat(`{${some(3)}}`), '$'.concat(`{${some(4)}}`)]);
  // Where they can not be seen: tables of Unicode, and ranges that are folded.
  refused(`SELECT regexp_matches(a, '${'\\pL'.repeat(600)}') FROM 'a'`);
  refused(`SELECT regexp_matches(a, '(?i)${'[b-\\x{10FFFE}]'.repeat(20)}') FROM 'a'`);
});

test('expressions are compiled when a message first needs them, the same ones once', () => {
  const { compiled } = PATTERNS;
  const sql = `SELECT ${list(500, (i) => `regexp_matches(a, '^only-here-${'x'.repeat(20)}{9}$') AS x${i}`)} FROM 'a'`;
  const [first, second] = [RuleQuery.parse(sql, '2016-03-23'), RuleQuery.parse(sql, '2016-03-23')];
  assert.equal(PATTERNS.compiled, compiled);
  assert.ok(first.budget.patternStates < 100, `${first.budget.patternStates}`);
  for (const query of [first, first, second]) query.run(query.begin(message('{"a":"b"}'), SERVICES));
  assert.equal(PATTERNS.compiled, compiled + 1);
});

test('what is kept of compiled expressions has a bound, and the last used stay', () => {
  const cache = new PatternCache(1_000_000);
  for (let i = 0; i < 200; i += 1) {
    assert.ok(cache.get(`^(abc){20}${i}`));
    assert.ok(cache.get('^kept$'));
    assert.equal(cache.get(`(${'x'.repeat(1_900)}${i}`), undefined);
    assert.ok(cache.bytes <= 1_000_000, `${cache.bytes}`);
  }
  const { compiled } = cache;
  assert.ok(cache.get('^kept$'));
  assert.equal(cache.compiled, compiled);
});

test('what RE2 keeps of the texts that it saw is bounded with the expression', () => {
  const cache = new PatternCache(SQL_LIMITS.keptPatternBytes);
  const pattern = cache.get('(a|b)*a(a|b){14}c') ?? assert.fail('no expression');
  let seed = 1;
  const next = (): string => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % 2 === 0 ? 'a' : 'b';
  };
  const random = Array.from({ length: 100_000 }, next).join('');
  assert.equal(pattern.matcher(random).find(), false);
  const { dfa } = pattern.re2();
  assert.ok(dfa.stateBudget < 128 * 1024 && dfa.memBudget >= 0, `${dfa.stateBudget} ${dfa.memBudget}`);
});

test('names, values, operators, columns and elements of a rule have a bound together', () => {
  for (const sql of [
    `SELECT a IN [${list(80_000, () => '1')}] AS r FROM 'a'`,
    `SELECT ${list(16_000, (i) => `a AS b${i}`)} FROM 'a'`,
    `SELECT {${list(5_000, (i) => `'k${i}': 1`)}} AS r FROM 'a'`,
    `SELECT concat(${list(5_000, () => '*')}) AS r FROM 'a'`,
    `SELECT ${list(5_000, () => '*')} FROM 'a'`,
    `SELECT 1 AS r FROM 'a' WHERE ${'a OR '.repeat(5_000)} a`,
    `SELECT ${list(50, () => `a AS ${'b.'.repeat(99)}b`)} FROM 'a'`,
    `SELECT ${list(60, () => `${'-'.repeat(90)}a`)} FROM 'a'`,
    `SELECT ${list(60, () => `${'NOT '.repeat(90)}a`)} FROM 'a'`,
    `SELECT ${list(60, () => `a${'.b'.repeat(90)}`)} FROM 'a'`,
    `SELECT a IN [${list(5_000, () => '-1')}] AS r FROM 'a'`,
    `SELECT CASE a ${'WHEN 1 THEN 2 '.repeat(3_000)} END AS r FROM 'a'`,
    `SELECT (SELECT ${list(5_000, () => 'a')} FROM b) AS r FROM 'a'`,
  ])
    refused(sql);
  refused(
    `SELECT ${list(1_500, () => 'a')} FROM 'a'`,
    Array.from({ length: 20 }, () => '$'.concat('{a}').repeat(100)),
  );
  assert.equal(RuleQuery.parse(`SELECT a, b.c AS d FROM 'a' WHERE e = -1`, '2016-03-23').budget.nodes, 9);
});

test('of a number with more digits than one keeps, those that decide are read', () => {
  const long = fc.tuple(
    fc.constantFrom('', '-'),
    fc.constantFrom('', '0', '000'),
    fc.stringMatching(/^[0-9]{0,80}$/),
    fc.constantFrom('0', '5', '49', '9'),
    fc.nat(200),
    fc.constantFrom('', '1', '.5', '.', 'e-90', 'E3'),
  );
  fc.assert(
    fc.property(long, ([sign, zeros, first, repeated, count, end]) => {
      const whole = `${zeros}${first}${repeated.repeat(count)}`;
      const text = `${sign}${whole === '' ? '0' : whole}${end === '.' ? `.${whole}1` : end}`;
      const [, minus = '', digits = '', fraction = '', exponent = '0'] =
        /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
      const all = exact(BigInt(minus + digits + fraction), fraction.length - Number(exponent), !/[.eE]/.test(text));
      assert.deepEqual(readNumber(text), all, text);
    }),
    { numRuns: 3_000 },
  );
  assert.equal(text(`SELECT a > 1 AS r`, `{"a":1.${'0'.repeat(100_000)}1}`), '{"r":false}');
});

test('size: texts that grow', () => {
  exceeds(`SELECT replace(s, 'a', b) AS r`, WORD, 'size');
  exceeds(`SELECT concat(s, s, s, s, s) AS r`, WORD, 'size');
  exceeds('SELECT s + s + s + s + s AS r', WORD, 'size');
  exceeds(`SELECT regexp_replace(substring(s, 0, 100), 'a', b) AS r`, WORD, 'size');
  exceeds(`SELECT encode(concat(s, s, s, s), 'base64') AS r`, WORD, 'size');
});

test('size: a result and variables', () => {
  exceeds('SELECT [s, s, s, s, s, s, s, s, s, s] AS r', WORD, 'size');
  exceeds('SET @a = s, @b = [@a] SELECT @b AS r', WORD, 'size');
  exceeds('SET @v = a SELECT (SELECT VALUE @v FROM a) AS r', many(3_000, '1'), 'size');
});

test('transform gives nothing beyond 128 KiB [iot-sql-functions: transform]', () => {
  const payload = JSON.stringify({ o: { x: 'x'.repeat(1000) }, a: Array.from({ length: 200 }, () => ({})) });
  const result = run(`SELECT isUndefined(transform('enrichArray', o, a)) AS r`, payload);
  assert.ok(result !== undefined && !(result instanceof Promise));
  assert.equal(result.payload.toString(), '{"r":true}');
});

test('a large payload within bounds is done', () => {
  const result = run('SELECT (SELECT VALUE * FROM a WHERE true) AS r', LIST);
  assert.ok(result !== undefined && !(result instanceof Promise));
  assert.equal(result.payload.length, LIST.length);
});

test('payloads of brackets without end neither overflow nor count as JSON', () => {
  for (const payload of [
    '['.repeat(131_072),
    '[1,'.repeat(40_000),
    '{"a":'.repeat(26_000),
    `${'['.repeat(65_000)}${']'.repeat(65_000)}`,
  ]) {
    const result = run('SELECT *', payload);
    assert.ok(result !== undefined && !(result instanceof Promise));
    assert.equal(result.payload.toString(), payload);
  }
});

test('statements of parentheses, signs and operators without end are refused', () => {
  for (const part of [
    '(',
    '[',
    '-',
    'NOT ',
    'CASE ',
    '(SELECT ',
    "{'a':",
    'abs(',
    '1+',
    '1=',
    'a.',
    'a AND (',
    '1 IN ',
    '1 OR NOT ',
  ])
    assert.throws(
      () => RuleQuery.parse(`SELECT ${part.repeat(20_000)}`.slice(0, 250_000), '2016-03-23'),
      (error) => error instanceof ThingkeepError && error.code === 'SqlParseException',
      part,
    );
});

test('a thousand conditions in a row are a statement like any other', () => {
  const sql = `SELECT 1 AS a WHERE ${Array.from({ length: 1000 }, (_, i) => `x = ${i}`).join(' OR ')}`;
  const result = run(sql, '{"x":999}');
  assert.ok(result !== undefined && !(result instanceof Promise));
  assert.equal(result.payload.toString(), '{"a":1}');
});

/** Words and signs of the language in any order: much of it is nearly a statement. */
const nearly = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...'SELECT|SELECT VALUE|FROM|WHERE|AS|AND|OR|NOT|CASE|WHEN|THEN|ELSE|END|SET|IN|null|true|value|a|b.c|*|,|(|)|{|}|[|]|.|:|=|<>|<|+|-|/|%|@x|@x = 1'.split(
          '|',
        ),
        "'t'",
        '"a"',
        "'it''s'",
        '1',
        '2.5',
        '1e9',
        'topic()',
        'get(a, 0)',
        'cast(a AS Int)',
        'abs(',
        '\n',
        "'",
        '"',
        '\\',
      ),
      fc.string({ maxLength: 4 }),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(' '));

test('parsing throws SqlParseException, and of an invalid topic filter what AWS answers, and nothing else', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        nearly,
        nearly.map((text) => `SELECT ${text}`),
        fc.string(),
      ),
      fc.constantFrom(...VERSIONS),
      (sql, version) => {
        try {
          RuleQuery.parse(sql, version).template(sql);
        } catch (error) {
          assert.ok(error instanceof ThingkeepError, `${error}`);
          if (error.code !== 'SqlParseException')
            assert.match(`${error}`, /^InvalidRequestException: The MQTT topic you provided/);
        }
      },
    ),
    { numRuns: 3_000 },
  );
});

test('an expression means the same when it is written again, and evaluating it throws at most SqlEvaluationError', () => {
  fc.assert(
    fc.property(anyExpression, fc.json({ maxDepth: 4 }), (expression, payload) => {
      const text = expressionText(expression);
      const outcome = (sql: string): string | undefined => {
        try {
          const result = run(sql, payload);
          assert.ok(!(result instanceof Promise));
          return result?.payload.toString();
        } catch (error) {
          assert.ok(error instanceof SqlEvaluationError, `${error}: ${sql}`);
          return error.bound;
        }
      };
      const spaced = expressionText(expression, '\n ');
      assert.equal(outcome(`SELECT ${text} AS r`), outcome(`select ((${spaced})) as r`));
    }),
    { numRuns: 3_000 },
  );
});

test('any bytes are a payload', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...VERSIONS), (bytes, version) => {
      const result = run('SELECT *', Buffer.from(bytes), version);
      assert.ok(result !== undefined && !(result instanceof Promise));
      assert.ok(result.value !== undefined || result.payload.equals(Buffer.from(bytes)));
      assert.notEqual(run('SELECT a, topic() AS t, upper(b.c) AS u', Buffer.from(bytes), version), undefined);
    }),
  );
});

test('numbers of JSON come out as they went in, or as the same number', () => {
  const number = fc
    .tuple(
      fc.boolean(),
      fc.bigInt({ min: 0n, max: 10n ** 30n }),
      fc.option(fc.nat(10 ** 9)),
      fc.option(fc.integer({ min: -300, max: 300 })),
    )
    .map(
      ([minus, whole, part, exponent]) =>
        `${minus ? '-' : ''}${whole}${part === null ? '' : `.${part}`}${exponent === null ? '' : `e${exponent}`}`,
    );
  fc.assert(
    fc.property(number, fc.constantFrom(...VERSIONS), (text, version) => {
      const result = run('SELECT *', `{"a":${text}}`, version);
      assert.ok(result !== undefined && !(result instanceof Promise));
      const written = /"a":(.*)}/.exec(result.payload.toString())?.[1] ?? '';
      const same = run(`SELECT ${written} = ${text} AS r`, '{}', version);
      assert.ok(same !== undefined && !(same instanceof Promise));
      assert.equal(same.payload.toString(), '{"r":true}', `${text} became ${written}`);
    }),
    { numRuns: 500 },
  );
});

test('steps: members that are compared or copied, zones that are new, calculations of many digits', () => {
  const members = Array.from({ length: 2_000 }, (_, i) => `"k${i}":${i}`).join(',');
  const wide = `{"o":{${members}},"a":[${'0,'.repeat(9_999)}0]}`;
  exceeds(`SET @o = o SELECT (SELECT VALUE @o = {'a': 1} FROM a) AS r`, wide, 'steps');
  exceeds('SET @o = o SELECT (SELECT @o AS y, 1 AS y.z FROM a) AS r', wide, 'steps');
  exceeds('SELECT (SELECT VALUE 0.1 + 0.2 + 0.3 + 0.4 + 0.5 FROM a) AS r', wide, 'steps');
  const zones = JSON.stringify({ a: Intl.supportedValuesOf('timeZone') });
  exceeds(`SELECT (SELECT VALUE parse_time('z', 0, *) FROM a) AS r`, zones, 'steps');
});
