/** Expressions drawn at random, and how each is written: for laws that hold of all of them. */
import fc from 'fast-check';
import type { Expression } from '../ast.ts';
import { numberText } from '../numbers.ts';
import { isNumber, type SqlValue } from '../values.ts';

const field = fc
  .constantFrom('a', 'b', 'nothing', 'constructor', '__proto__')
  .map((name): Expression => ({ kind: 'field', name }));
const literal = fc
  .oneof(
    fc.constantFrom<SqlValue>(null, true, false, '', "it's", '12.5', 'true', 'a\\d', '(', '[0-9]+', '$1'),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true, min: 0, max: 1e9 }).filter((value) => value === 0 || value > 1e-6),
    fc.string({ maxLength: 6 }).filter((text) => !/\\(['"]|$)/.test(text)),
  )
  .map((value): Expression => ({ kind: 'literal', value }));

const CALLS: readonly (readonly [name: string, args: number])[] = [
  ...[
    'abs',
    'ceil',
    'sqrt',
    'exp',
    'bitnot',
    'chr',
    'length',
    'upper',
    'trim',
    'md2',
    'md5',
    'isnull',
    'isundefined',
    'sign',
    'concat',
  ],
  ...['topic', 'round', 'lower'],
].map((name) => [name, 1] as const);
const LONGER: readonly (readonly [string, number])[] = [
  ...['atan2', 'power', 'mod', 'bitand', 'trunc', 'nanvl', 'concat', 'endswith', 'indexof', 'lpad', 'get', 'get_or_default'],
  ...['regexp_matches', 'regexp_substr', 'encode', 'decode', 'parse_time', 'time_to_epoch', 'substring'],
].map((name) => [name, 2] as const);
const LONGEST: readonly (readonly [string, number])[] = ['replace', 'regexp_replace', 'substring', 'transform', 'concat'].map(
  (name) => [name, 3] as const,
);

export const anyExpression: fc.Arbitrary<Expression> = fc.letrec<{ any: Expression }>((tie) => {
  const any = tie('any');
  const list = (most: number) => fc.array(any, { maxLength: most });
  const call = fc
    .constantFrom(...CALLS, ...LONGER, ...LONGEST)
    .chain(([name, count]) =>
      fc.tuple(...Array.from({ length: count }, () => any)).map((args): Expression => ({ kind: 'call', name, args, at: 0 })),
    );
  return {
    any: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      field,
      literal,
      fc.record({ of: any, name: fc.constantFrom('a', 'value', 'from') }).map((of): Expression => ({ kind: 'member', ...of })),
      any.map((of): Expression => ({ kind: 'not', of })),
      any.map((of): Expression => ({ kind: 'negative', of })),
      fc
        .record({ operator: fc.constantFrom('and', 'or'), of: fc.array(any, { minLength: 2, maxLength: 3 }) })
        .map((of): Expression => ({ kind: 'logic', ...of })),
      fc
        .record({ operator: fc.constantFrom('=', '<>', '<', '<=', '>', '>='), left: any, right: any })
        .map((of): Expression => ({ kind: 'compare', ...of })),
      fc
        .record({ operator: fc.constantFrom('+', '-', '*', '/', '%'), left: any, right: any })
        .map((of): Expression => ({ kind: 'arithmetic', ...of })),
      fc.record({ negated: fc.boolean(), left: any, right: any }).map((of): Expression => ({ kind: 'in', ...of })),
      fc
        .record({ of: any, is: any, result: any })
        .map(({ of, is, result }): Expression => ({ kind: 'case', of, when: [{ is, result }], otherwise: is })),
      fc
        .record({ of: any, type: fc.constantFrom('string', 'int', 'double', 'decimal', 'boolean') })
        .map((of): Expression => ({ kind: 'cast', ...of })),
      list(3).map((items): Expression => ({ kind: 'array', items })),
      fc
        .array(fc.tuple(fc.constantFrom('a', '__proto__', "it's"), any), { maxLength: 3 })
        .map((entries): Expression => ({ kind: 'object', entries })),
      fc
        .record({ from: any, where: any, expression: any })
        .map(
          ({ from, where, expression }): Expression => ({ kind: 'query', select: { kind: 'value', expression }, from, where }),
        ),
      call,
    ),
  };
}).any;

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

function literalText(value: SqlValue): string {
  if (typeof value === 'string') return value.includes('\\') ? `"${value.replaceAll('"', '""')}"` : quoted(value);
  return isNumber(value) ? numberText(value) : String(value);
}

/** Everything in parentheses, so that precedence has no say; `space` stands between words. */
export function expressionText(expression: Expression, space = ' '): string {
  const text = (of: Expression): string => expressionText(of, space);
  const inside = (of: Expression): string => `(${text(of)})`;
  const words = (...parts: readonly string[]): string => parts.join(space);
  switch (expression.kind) {
    case 'literal':
      return literalText(expression.value);
    case 'payload':
      return '*';
    case 'field':
      return expression.name;
    case 'variable':
      return `@${expression.name}`;
    case 'member':
      return `${inside(expression.of)}.${expression.name}`;
    case 'not':
      return words('NOT', inside(expression.of));
    case 'negative':
      return words('-', inside(expression.of));
    case 'logic':
      return expression.of.map(inside).join(`${space}${expression.operator}${space}`);
    case 'compare':
    case 'arithmetic':
      return words(inside(expression.left), expression.operator, inside(expression.right));
    case 'in':
      return words(inside(expression.left), expression.negated ? 'NOT IN' : 'IN', inside(expression.right));
    case 'case': {
      const arms = expression.when.map(({ is, result }) => words('WHEN', inside(is), 'THEN', inside(result)));
      const otherwise = expression.otherwise === undefined ? [] : ['ELSE', inside(expression.otherwise)];
      return words('CASE', inside(expression.of), ...arms, ...otherwise, 'END');
    }
    case 'call':
      return `${expression.name}(${expression.args.map(text).join(`,${space}`)})`;
    case 'cast':
      return words(`cast(${text(expression.of)}`, 'AS', `${expression.type})`);
    case 'object':
      return `{${expression.entries.map(([key, value]) => `${quoted(key)}:${space}${text(value)}`).join(',')}}`;
    case 'array':
      return `[${expression.items.map(text).join(`,${space}`)}]`;
    case 'query': {
      const { select, from, where } = expression;
      const selected = select.kind === 'value' && select.expression !== undefined ? inside(select.expression) : '*';
      return `(${words('SELECT VALUE', selected, 'FROM', inside(from), ...(where === undefined ? [] : ['WHERE', inside(where)]))})`;
    }
  }
}
