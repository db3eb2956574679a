/** Statements that are refused with SqlParseException: the place, what was found there and what was expected. */
import type { ErrorGroup } from './sql-cases.ts';

const at = (line: number, column: number, found: string, expected: string): string =>
  `at line ${line}, column ${column}: found ${found}, expected ${expected}`;
const variables = (count: number): string => Array.from({ length: count }, (_, i) => `@v${i} = ${i}`).join(', ');
const deep = (count: number): string => `SELECT ${'('.repeat(count)}1${')'.repeat(count)} AS a FROM 't'`;

export const ERROR_CASES: readonly ErrorGroup[] = [
  {
    section: 'iot-sql-reference: clauses',
    cases: [
      ['', at(1, 1, 'the end', 'SET or SELECT')],
      ['SELEC * FROM', at(1, 1, 'SELEC', 'SET or SELECT')],
      ['SELECT', at(1, 7, 'the end', 'an expression')],
      ["SELECT FROM 't'", at(1, 8, 'FROM', 'an expression')],
      ["SELECT a b FROM 't'", at(1, 10, 'b', 'a comma, AS, FROM, WHERE or the end')],
      ["SELECT a,\n  , b FROM 't'", at(2, 3, ',', 'an expression')],
      ["SELECT a AS 'x' FROM 't'", at(1, 13, "'x'", 'a name')],
      ["SELECT a AS b. FROM 't' x", at(1, 21, "'t'", 'a comma, AS, FROM, WHERE or the end')],
      ["SELECT * FROM 't' WHERE", at(1, 24, 'the end', 'an expression')],
      ["SELECT * FROM 't' WHERE a = 1 2", at(1, 31, '2', 'an operator or the end')],
      ["SELECT * FROM 't' LIMIT 1", at(1, 19, 'LIMIT', 'WHERE or the end')],
      ["SELECT VALUE a, b FROM 't'", at(1, 15, ',', 'one item behind VALUE')],
      ["SELECT a -- no comments\nFROM 't'", at(1, 16, 'comments', 'a comma, AS, FROM, WHERE or the end')],
      ["SELECT a # b FROM 't'", at(1, 10, '#', 'a name, a number, a text in quotes or an operator')],
      ["SELECT `a` FROM 't'", at(1, 8, '`', 'a name, a number, a text in quotes or an operator')],
      ["SELECT 'a FROM t", at(1, 8, 'a text without an end', "a closing '")],
      ['SELECT a FROM', at(1, 14, 'no topic filter', 'a topic filter in single quotes')],
    ],
  },
  {
    section: 'iot-sql-operators, iot-sql-case, iot-sql-json: expressions',
    cases: [
      ["SELECT a + FROM 't'", at(1, 12, 'FROM', 'an expression')],
      ["SELECT (a FROM 't'", at(1, 11, 'FROM', ')')],
      ["SELECT a = = b FROM 't'", at(1, 12, '=', 'an expression')],
      ["SELECT CASE a END FROM 't'", at(1, 15, 'END', 'WHEN')],
      ["SELECT CASE WHEN a THEN 1 END FROM 't'", at(1, 13, 'WHEN', 'an expression')],
      ["SELECT CASE a WHEN 1 THEN 2 FROM 't'", at(1, 29, 'FROM', 'END')],
      ["SELECT CASE a WHEN 1 2 END FROM 't'", at(1, 22, '2', 'THEN')],
      ["SELECT a.0 FROM 't'", at(1, 10, '0', 'the name of a member; others by get(object, "name")')],
      ["SELECT a[0] FROM 't'", at(1, 9, '[', 'an operator; an element is had by get(array, index)')],
      ["SELECT {a: 1} AS x FROM 't'", at(1, 9, 'a', 'a key in quotes')],
      ["SELECT {'a' 1} AS x FROM 't'", at(1, 13, '1', ':')],
      ["SELECT [1 2] AS x FROM 't'", at(1, 11, '2', ',')],
      ["SELECT 1e1000 FROM 't'", at(1, 8, '1e1000', 'a number between -9.99E999 and 9.99E999')],
      [deep(129), at(1, 136, '(', 'at most 128 levels')],
      [`SELECT ${'1+'.repeat(200)}1 AS a FROM 't'`, at(1, 265, '+', 'at most 128 operators in a row')],
    ],
  },
  {
    section: 'iot-sql-functions: names, types, versions',
    cases: [
      ["SELECT nope(a) FROM 't'", at(1, 8, 'nope', 'the name of a function')],
      ["SELECT toString() FROM 't'", at(1, 8, 'toString', 'the name of a function')],
      ["SELECT cast(a AS Date) FROM 't'", at(1, 18, 'Date', 'a type')],
      ["SELECT cast(a) FROM 't'", at(1, 14, ')', 'AS')],
      ["SELECT abs(1 FROM 't'", at(1, 14, 'FROM', ',')],
      [
        "SELECT get_registry_data('DescribeThing', a, 'r') AS a, get_registry_data('DescribeThing', b, 'r') AS b FROM 't'",
        at(1, 57, 'get_registry_data', 'get_registry_data only once'),
      ],
      [
        "SET @r = 'r' SELECT get_thing_shadow('t', @r) FROM 't'",
        at(1, 21, 'get_thing_shadow', 'the role of get_thing_shadow as a text in quotes, since it can not be computed'),
      ],
      [
        "SET @m = 'x' SELECT transform(@m, a, b) FROM 't'",
        at(1, 21, 'transform', 'an argument of transform that is no variable'),
      ],
      [
        `SELECT ${['a', 'b', 'c'].map((n) => `decode(${n}, 'proto', 'b', 'k', 'f', 'm') AS ${n}`).join(', ')} FROM 't'`,
        at(1, 98, 'decode', 'at most 2 decodings of Protobuf'),
      ],
    ],
  },
  {
    section: 'iot-rule-sql-version: not in the first version',
    version: '2015-10-08',
    cases: [
      ["SELECT [1] AS a FROM 't'", at(1, 8, '[', 'an expression: an array literal needs SQL version 2016-03-23')],
      ["SELECT {'a':1} AS a FROM 't'", at(1, 8, '{', 'an expression: an object literal needs SQL version 2016-03-23')],
      ["SELECT (SELECT a FROM b) FROM 't'", at(1, 9, 'SELECT', 'an expression: a nested query needs SQL version 2016-03-23')],
      ["SELECT cast(a AS Bool) FROM 't'", at(1, 18, 'Bool', 'a type')],
      ["SELECT cast(a AS Decimal) FROM 't'", at(1, 18, 'Decimal', 'a type')],
    ],
  },
  {
    section: 'iot-sql-set',
    cases: [
      ["SET x = 1 SELECT * FROM 't'", at(1, 5, 'x', 'a variable: @name')],
      ["SET @a = 1, @a = 2 SELECT * FROM 't'", at(1, 13, '@a', 'a variable that is not yet defined')],
      ["SET @a = @b, @b = 1 SELECT * FROM 't'", at(1, 10, '@b', 'a variable that SET has defined before')],
      ["SELECT @a FROM 't'", at(1, 8, '@a', 'a variable that SET has defined before')],
      [`SET ${variables(11)} SELECT * FROM 't'`, at(1, 95, '@v10', 'at most 10 variables')],
      [`SET @${'v'.repeat(65)} = 1 SELECT * FROM 't'`, at(1, 5, `@${'v'.repeat(39)}...`, 'a name of at most 64 characters')],
      ["SET @a = 1 SET @b = 2 SELECT * FROM 't'", at(1, 12, 'SET', 'a comma or SELECT')],
      ["SET @a 1 SELECT * FROM 't'", at(1, 8, '1', '=')],
    ],
  },
];

/**
 * Filters behind FROM that AWS refuses with InvalidRequestException, and what follows its text (probe
 * pf-iot-sql-from-topic-filter).
 */
export const FILTER_ERROR_CASES: readonly (readonly [filter: string, detail: string])[] = [
  ['a/#/b', ''],
  ['a/x#', ''],
  ['a/x+/c', ''],
  ['#/a', ''],
  ['a/b+', ''],
  ['+a', ''],
  ['', ' it is empty'],
  ['$share/g/a', ' it is a shared subscription'],
  ['$share/g', ' it is a shared subscription'],
  ['a'.repeat(300), ' it is too long'],
  [`a/b/c/d/e/f/g/h/i/\u0001`, ' it has a control character'],
];

/** Filters that AWS takes: it does not count levels. */
export const FILTERS: readonly string[] = [
  'a/#',
  'a/+/b',
  '+',
  '#',
  'a/b/#',
  'a/b/c/d/e/f/g/h/i',
  'a/b/c/d/e/f/g/h/i/j/k/l/m/n/o',
];

/** Fields of actions that are refused. */
export const TEMPLATE_ERROR_CASES: readonly ErrorGroup[] = [
  {
    section: 'iot-substitution-templates',
    cases: [
      ['a/$'.concat('{}'), at(1, 5, '}', 'an expression')],
      ['a/$'.concat('{b'), at(1, 6, 'the end', 'an operator or }')],
      ['a/$'.concat('{b c}'), at(1, 7, 'c', 'an operator or }')],
      ['a/$'.concat('{@b}'), at(1, 5, '@b', 'a variable that SET has defined before')],
      [
        '$'.concat("{decode(a, 'proto', 'b', 'k', 'f', 'm')}"),
        at(1, 3, 'decode', 'no decoding of Protobuf in a substitution template'),
      ],
    ],
  },
];
