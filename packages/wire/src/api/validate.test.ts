import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesPattern, translate } from './patterns.ts';
import { findOperation } from './table.ts';
import { codePoints, validate } from './validate.ts';

const CREATE_THING = findOperation('iot', 'CreateThing') ?? assert.fail();
const LIST_THINGS = findOperation('iot', 'ListThings') ?? assert.fail();

test('a broken pattern is said as AWS says it', () => {
  assert.equal(
    validate(CREATE_THING, { thingName: 'a b' }),
    "1 validation error detected: Value 'a b' at 'thingName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9:_-]+",
  );
});

test('several errors are counted and joined', () => {
  const said = validate(CREATE_THING, { thingName: '', thingTypeName: 'x'.repeat(129) }) ?? '';
  assert.match(said, /^3 validation errors detected: /);
  assert.equal(said.split('; ').length, 3);
  assert.match(said, /Value '' at 'thingName' failed to satisfy constraint: Member must have length greater than or equal to 1/);
  assert.match(said, /at 'thingTypeName' failed to satisfy constraint: Member must have length less than or equal to 128/);
});

test('a missing member, a range and map members', () => {
  assert.equal(
    validate(CREATE_THING, {}),
    "1 validation error detected: Value null at 'thingName' failed to satisfy constraint: Member must not be null",
  );
  assert.equal(
    validate(LIST_THINGS, { maxResults: 251 }),
    "1 validation error detected: Value '251' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 250",
  );
  assert.equal(
    validate(CREATE_THING, { thingName: 'x', attributePayload: { attributes: { a: '\u0000' } } }),
    "1 validation error detected: Value '{a=\u0000}' at 'attributePayload.attributes' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 800, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: [a-zA-Z0-9_.,@/:#=\\[\\]-]*]",
  );
});

test('a small request makes no large message', () => {
  const said = validate(CREATE_THING, { thingName: ' '.repeat(1_000_000) }) ?? '';
  assert.ok(said.length < 5_000, `${said.length}`);
});

test('lengths count code points', () => {
  for (const text of ['', 'a', 'é', '😀', 'a😀b', '😀'.repeat(100)]) assert.equal(codePoints(text), [...text].length);
});

test("patterns mean what java.util.regex.Pattern's documentation says", () => {
  const cases: [pattern: string, yes: string[], no: string[]][] = [
    ['[\\p{Graph}\\x20]*', ['', 'a b~!'], ['é', '\t', '\u007f', 'a\n']],
    ['[\\p{Upper}\\p{Digit}_]+', ['A_1'], ['a', 'É', '١']],
    ['[^\\p{Cntrl}]*', ['é', '\u0085'], ['\u0000', '\u007f']],
    ['[^\\p{C}]*', ['é😀'], ['\u0085', '\u200b', '\ue000', '\ud800']],
    ['\\S{2,3}', ['ab', '\u00a0\u00a0'], ['a', 'a b', 'abcd']],
    ['[\\s\\S]*', ['', 'a\n😀'], []],
    ['https?://.*', ['http://', 'https://x'], ['xhttp://', 'http://a\nb', 'http://a\u0085b']],
    ['^[^$].*', ['a', ' x'], ['$a', '']],
    ['[a-z]+|^\\$next', ['abc', '$next'], ['$nextx', 'a$next', '']],
    ['[a-zA-Z0-9-_.]+', ['a-b_c.'], ['a b', 'a\n']],
    ['[\\w+=,.@-]+', ['a+b@c'], ['ä', 'a/b']],
  ];
  for (const [pattern, yes, no] of cases) {
    for (const text of yes) assert.ok(matchesPattern(pattern, text), `${pattern} ${JSON.stringify(text)}`);
    for (const text of no) assert.ok(!matchesPattern(pattern, text), `${pattern} ${JSON.stringify(text)}`);
  }
  assert.equal(translate('a\\-b'), 'a-b');
});

test('no pattern of the models takes long over a megabyte of anything', async () => {
  const { operationsOf, SERVICE_NAMES, shapeOf } = await import('./table.ts');
  const patterns = new Set<string>();
  const walk = (service: (typeof SERVICE_NAMES)[number], name: string | undefined, seen: Set<string>): void => {
    if (name === undefined || seen.has(name)) return;
    seen.add(name);
    const shape = shapeOf(service, name);
    if (shape.pattern !== undefined) patterns.add(shape.pattern);
    for (const member of Object.values(shape.members ?? {})) walk(service, member.shape, seen);
    for (const next of [shape.member, shape.key, shape.value]) walk(service, next, seen);
  };
  for (const service of SERVICE_NAMES) for (const operation of operationsOf(service)) walk(service, operation.input, new Set());
  const began = performance.now();
  for (const pattern of patterns)
    for (const char of ['a', '1', '-', '.']) matchesPattern(pattern, `${char.repeat(1_000_000)}\u0000`);
  const each = (performance.now() - began) / (patterns.size * 4);
  assert.ok(patterns.size > 40 && each < 40, `${each} ms a pattern, ${patterns.size} patterns`);
});
