/** The SQL of rules by its tables of cases, each named by the page that says so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import { ERROR_CASES, FILTER_ERROR_CASES, FILTERS, TEMPLATE_ERROR_CASES } from './testing/error-cases.ts';
import { MATH_CASES } from './testing/math-cases.ts';
import { MESSAGE_CASES, TEMPLATE_CASES } from './testing/message-cases.ts';
import type { ErrorGroup, ExpressionGroup } from './testing/sql-cases.ts';
import { STATEMENT_CASES } from './testing/statement-cases.ts';
import { TEXT_CASES } from './testing/text-cases.ts';
import { VALUE_CASES } from './testing/value-cases.ts';
import type { ExternalServices, RuleMessage, SqlResult } from './contract.ts';
import { type SqlVersion, sqlVersion } from './dialect.ts';
import { RuleQuery } from './rule-query.ts';

const SERVICES: ExternalServices = {
  accountId: '123456789012',
  region: 'us-east-1',
  random: () => 0.8231909191640703,
  uuid: () => '123a4567-b89c-12d3-e456-789012345000',
  call: () => Promise.reject(new TypeError('nobody is asked here')),
};
const LATEST: SqlVersion = '2016-03-23';

const message = (payload: string | Buffer, rest: Partial<RuleMessage> = {}): RuleMessage => ({
  topic: 't',
  payload: Buffer.from(payload as string),
  receivedAt: 0,
  ...rest,
});

function resultOf(sql: string, version: SqlVersion, from: RuleMessage): SqlResult | undefined {
  const query = RuleQuery.parse(sql, version);
  const result = query.run(query.begin(from, SERVICES));
  assert.ok(!(result instanceof Promise), 'nothing is asked, so nothing is waited for');
  return result;
}

const EXPRESSIONS: readonly ExpressionGroup[] = [...MATH_CASES, ...TEXT_CASES, ...VALUE_CASES, ...MESSAGE_CASES];

for (const { section, version = LATEST, payload = '{}', message: rest, cases } of EXPRESSIONS)
  test(`${section} [${version}]`, () => {
    for (const [expression, expected] of cases) {
      const result = resultOf(`SELECT ${expression} AS r FROM 't'`, version, message(payload, rest));
      assert.equal(result?.payload.toString(), expected === undefined ? '{}' : `{"r":${expected}}`, expression);
    }
  });

for (const { section, version = LATEST, cases } of STATEMENT_CASES)
  test(`statement: ${section} [${version}]`, () => {
    for (const [sql, payload, expected] of cases) {
      const result = resultOf(sql, version, message(payload));
      const binary = typeof payload !== 'string' && expected?.startsWith('{') === false;
      assert.equal(result?.payload.toString(binary ? 'latin1' : 'utf8') ?? null, expected, sql);
    }
  });

for (const { section, version = LATEST, payload, set = '', cases } of TEMPLATE_CASES)
  test(`template: ${section}`, () => {
    const query = RuleQuery.parse(`${set} SELECT * FROM 't'`, version);
    for (const [text, expected] of cases) {
      const template = query.template(text);
      assert.equal(template.constant, text.includes('${') ? undefined : text);
      assert.equal(template.render(query.begin(message(payload), SERVICES)), expected, text);
    }
  });

const refusal = (run: () => unknown, code = 'SqlParseException'): string => {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ThingkeepError && error.code === code, String(error));
    return error.message;
  }
  return 'no refusal';
};

function refused(groups: readonly ErrorGroup[], parse: (text: string, version: SqlVersion) => unknown): void {
  for (const { section, version = LATEST, cases } of groups)
    test(`refused: ${section} [${version}]`, () => {
      for (const [text, expected] of cases)
        assert.equal(
          refusal(() => parse(text, version)),
          `The SQL is malformed ${expected}`,
          text,
        );
    });
}
refused(ERROR_CASES, RuleQuery.parse);
refused(TEMPLATE_ERROR_CASES, (text, version) => RuleQuery.parse("SELECT * FROM 't'", version).template(text));

test('the filter of FROM is refused in words of AWS, however many levels it has (probe pf-iot-sql-from-topic-filter)', () => {
  for (const [filter, detail] of FILTER_ERROR_CASES)
    assert.equal(
      refusal(() => RuleQuery.parse(`SELECT * FROM '${filter}'`, LATEST), 'InvalidRequestException'),
      `The MQTT topic you provided is invalid.${detail}`,
    );
  for (const filter of FILTERS) assert.equal(RuleQuery.parse(`SELECT * FROM '${filter}'`, LATEST).filter, filter);
});

test('of the functions encode alone needs a later version, in statements and templates (probe pf-iot-sql-version-functions)', () => {
  const words =
    "Errors encountered while validating query. ERROR: Function 'encode' is only supported in sql version 2016-03-23-beta and " +
    'above. You can use the new version by specifying "awsIotSqlVersion": "version" when creating or updating a rule.';
  const asks = ["get_thing_shadow('T', 'r')", "get_dynamodb('T', 'k', 'v', 'r')", "decode(a, 'proto', 'b', 'k', 'f', 'm')"];
  for (const call of asks) assert.ok(RuleQuery.parse(`SELECT ${call} AS a FROM 't'`, '2015-10-08').waits);
  const parse = (): unknown => RuleQuery.parse("SELECT encode(*, 'base64') AS d FROM 't'", '2015-10-08');
  assert.equal(refusal(parse, 'InvalidRequestException'), words);
  const template = (): unknown => RuleQuery.parse('SELECT *', '2015-10-08').template("${encode(*, 'base64')}");
  assert.equal(refusal(template, 'InvalidRequestException'), words);
});

test('a version is known in upper and lower case, and an empty one is the first (probe pf-iot-sql-version-value)', () => {
  for (const version of ['2015-10-08', '2016-03-23', '2016-03-23-beta', '2016-03-23-BETA', 'beta', 'BETA', 'Beta'])
    assert.equal(sqlVersion(version), version.toLowerCase());
  assert.equal(sqlVersion(''), '2015-10-08');
  assert.equal(sqlVersion(undefined), '2015-10-08');
  const others = [
    '2020-01-01',
    '2015-10-08-beta',
    '2016-03-23-beta2',
    '2016-3-23',
    'xbeta',
    'betax',
    ' 2016-03-23',
    '2016-03-23 ',
    'toString',
  ];
  for (const version of others)
    assert.equal(
      refusal(() => sqlVersion(version)),
      `Invalid SQL version: ${version}`,
    );
});

test('the filter of FROM, quoted or not, and none for Basic Ingest alone', () => {
  assert.equal(RuleQuery.parse("SELECT * FROM 'a/+/#'", LATEST).filter, 'a/+/#');
  assert.equal(
    RuleQuery.parse('SELECT * FROM $aws/things/+/shadow/update WHERE true', LATEST).filter,
    '$aws/things/+/shadow/update',
  );
  assert.equal(RuleQuery.parse('SELECT *', LATEST).filter, undefined);
});

test('a statement of more than 256 KiB is refused', () => {
  const sql = `SELECT * FROM 't' WHERE a = '${'x'.repeat(256 * 1024)}'`;
  assert.match(
    refusal(() => RuleQuery.parse(sql, LATEST)),
    /characters, 262144 at most/,
  );
});

test('the tables have their 450 cases and more', () => {
  const groups: readonly { readonly cases: readonly unknown[] }[] = [
    ...EXPRESSIONS,
    ...STATEMENT_CASES,
    ...TEMPLATE_CASES,
    ...ERROR_CASES,
    ...TEMPLATE_ERROR_CASES,
  ];
  const count = groups.reduce((sum, { cases }) => sum + cases.length, 0);
  assert.ok(count >= 450, `${count} cases`);
});

test('a result as plain JSON, its numbers as doubles; none of raw bytes', () => {
  const exact = resultOf('SELECT 12345678901234567890 AS big, a', LATEST, message('{"a":[1]}'));
  assert.deepEqual(exact?.json(), { big: 12345678901234567000, a: [1] });
  const raw = resultOf('SELECT *', LATEST, message(Buffer.from([0xff])));
  assert.equal(raw?.json(), undefined);
  assert.equal(raw?.value, undefined);
});

test('a payload is parsed once for all rules that see it, and not at all for a rule that needs none of it', () => {
  const seen = message('{"a":1}');
  resultOf('SELECT topic() AS t', LATEST, seen);
  assert.equal(seen.parsed, undefined);
  resultOf('SELECT a', LATEST, seen);
  const { parsed } = seen;
  assert.notEqual(parsed, undefined);
  resultOf('SELECT *, 2 AS a.b', LATEST, seen);
  assert.equal(seen.parsed, parsed);
  assert.equal(resultOf('SELECT *', LATEST, seen)?.payload.toString(), '{"a":1}');
});
