/** Expressions become functions of an evaluation, once for each rule. */
import type { Expression, Selection } from './ast.ts';
import type { RuleBudget } from './budget.ts';
import { castTo } from './cast.ts';
import type { Dialect } from './dialect.ts';
import type { Evaluation } from './evaluation.ts';
import type { Argument, Evaluate } from './functions/definition.ts';
import { asks, FUNCTIONS } from './functions/table.ts';
import { among, arithmetic, comparison, logic, negative, opposite } from './operators.ts';
import { equal, isArray, isSqlObject, put, type SqlObject, type SqlValue } from './values.ts';

type Expressions<K extends Expression['kind']> = Extract<Expression, { kind: K }>;

const UNDEFINED: Evaluate = () => undefined;

/** Keys that JavaScript has below every object: only these need asking whether they are the object's own. */
const inherited = (key: string): boolean => key in Object.prototype;

export class Compiler {
  readonly #dialect: Dialect;
  readonly #budget: RuleBudget;
  #sites = 0;
  /** Depth of nested queries: names are then members of the element. */
  #inside = 0;
  /** Expressions compiled so far: what one element of a nested query costs. */
  #size = 0;
  /** Calls of get_dynamodb. */
  dynamoDbCalls = 0;
  asks = false;
  /** A result may be longer than the payload: its size is looked at before it is written. */
  grows = false;

  constructor(dialect: Dialect, budget: RuleBudget) {
    this.#dialect = dialect;
    this.#budget = budget;
  }

  expression(expression: Expression): Evaluate {
    this.#size += 1;
    switch (expression.kind) {
      case 'literal': {
        const { value } = expression;
        return () => value;
      }
      case 'payload':
        return this.#inside > 0 ? ({ element }) => element : ({ payload }) => payload;
      case 'field':
        return this.#field(expression.name);
      case 'variable': {
        this.grows = true;
        const { index } = expression;
        return (evaluation) => evaluation.variable(index);
      }
      case 'member':
        return this.#member(expression);
      case 'not':
        return opposite(this.expression(expression.of));
      case 'negative':
        return negative(this.expression(expression.of));
      case 'logic':
        return logic(
          expression.operator,
          expression.of.map((operand) => this.expression(operand)),
        );
      case 'compare':
        return comparison(expression.operator, this.expression(expression.left), this.expression(expression.right));
      case 'in':
        return among(this.expression(expression.left), this.expression(expression.right), expression.negated);
      case 'arithmetic':
        return arithmetic(
          expression.operator,
          this.expression(expression.left),
          this.expression(expression.right),
          this.#dialect,
        );
      case 'case':
        return this.#case(expression);
      case 'call':
        return this.#call(expression);
      case 'cast': {
        const of = this.expression(expression.of);
        const { type } = expression;
        return (evaluation) => castTo(type, of(evaluation), evaluation);
      }
      case 'object':
        return this.#object(expression);
      case 'array':
        return this.#array(expression);
      case 'query':
        return this.#query(expression);
    }
  }

  #field(name: string): Evaluate {
    const of: Evaluate = this.#inside > 0 ? ({ element }) => element : ({ payload }) => payload;
    return memberOf(of, name);
  }

  #member({ of, name }: Expressions<'member'>): Evaluate {
    return memberOf(this.expression(of), name);
  }

  #case({ of, when, otherwise }: Expressions<'case'>): Evaluate {
    const value = this.expression(of);
    const arms = when.map(({ is, result }) => ({ is: this.expression(is), result: this.expression(result) }));
    const last = otherwise === undefined ? UNDEFINED : this.expression(otherwise);
    return (evaluation) => {
      const found = value(evaluation);
      if (found === undefined) return undefined;
      const arm = arms.find(({ is }) => equal(found, is(evaluation), evaluation.spend) === true);
      return (arm?.result ?? last)(evaluation);
    };
  }

  #call({ name, args: expressions }: Expressions<'call'>): Evaluate {
    const definition = FUNCTIONS[name];
    const args: Argument[] = expressions.map((expression) => ({ expression, evaluate: this.expression(expression) }));
    if (definition === undefined || args.length < definition.least || args.length > definition.most) return UNDEFINED;
    if (name === 'get_dynamodb') this.dynamoDbCalls += 1;
    this.asks ||= asks(name, args.length);
    this.grows = true;
    this.#sites += 1;
    return definition.compile(args, { dialect: this.#dialect, id: this.#sites, budget: this.#budget });
  }

  /** Members that are Undefined are left out. */
  #object({ entries }: Expressions<'object'>): Evaluate {
    this.grows = true;
    const members = entries.map(([key, value]) => ({ key, value: this.expression(value) }));
    return (evaluation) => {
      const object: Record<string, SqlValue> = {};
      for (const { key, value } of members) {
        const found = value(evaluation);
        if (found !== undefined) put(object, key, found);
      }
      return object;
    };
  }

  #array({ items }: Expressions<'array'>): Evaluate {
    this.grows = true;
    const elements = items.map((item) => this.expression(item));
    return (evaluation) => elements.map((element) => element(evaluation)).filter((value) => value !== undefined);
  }

  /** An array gives an array of what is selected of each element, an object what is selected of it. */
  #query({ select, from, where }: Expressions<'query'>): Evaluate {
    this.grows = true;
    const source = this.expression(from);
    const before = this.#size;
    this.#inside += 1;
    const filter = where === undefined ? undefined : this.expression(where);
    const selected = this.selection(select);
    this.#inside -= 1;
    const cost = this.#size - before + 1;
    const one = (evaluation: Evaluation, element: SqlValue): SqlValue => {
      evaluation.spend(cost);
      evaluation.element = element;
      return filter === undefined || filter(evaluation) === true ? selected(evaluation) : undefined;
    };
    return (evaluation) => {
      const value = source(evaluation);
      const outer = evaluation.element;
      const result = isArray(value)
        ? value.map((element) => one(evaluation, element)).filter((each) => each !== undefined)
        : isSqlObject(value)
          ? one(evaluation, value)
          : undefined;
      evaluation.element = outer;
      return result;
    };
  }

  /** What SELECT makes of the payload, or of an element. */
  selection(select: Selection): Evaluate {
    const all: Evaluate = this.#inside > 0 ? ({ element }) => element : ({ payload }) => payload;
    if (select.kind === 'value') return select.expression === undefined ? all : this.#value(select.expression);
    const [first] = select.items;
    if (select.items.length === 1 && first?.expression === undefined && first?.path.length === 0) return all;
    const items = select.items.map(({ expression, path }) => ({
      path,
      key: path.length === 1 ? path[0] : undefined,
      value: expression === undefined ? all : this.expression(expression),
    }));
    this.grows ||= items.length > 8;
    return (evaluation) => {
      const result: Record<string, SqlValue> = {};
      for (const { path, key, value } of items) {
        const found = value(evaluation);
        if (found === undefined) continue;
        if (key !== undefined) put(result, key, found);
        else if (path.length > 0) putAt(result, path, found, evaluation.spend);
        else if (isSqlObject(found)) spread(result, found, evaluation.spend);
      }
      return result;
    };
  }

  /** Arrays as a whole result came with 2016-03-23 (page iot-rule-sql-version). */
  #value(expression: Expression): Evaluate {
    const value = this.expression(expression);
    if (this.#dialect.nests) return value;
    return (evaluation) => {
      const found = value(evaluation);
      return isArray(found) ? undefined : found;
    };
  }
}

function memberOf(of: Evaluate, name: string): Evaluate {
  if (inherited(name))
    return (evaluation) => {
      const value = of(evaluation);
      return isSqlObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
    };
  return (evaluation) => {
    const value = of(evaluation);
    return isSqlObject(value) ? value[name] : undefined;
  };
}

type Spend = (steps: number) => void;

function spread(target: Record<string, SqlValue>, from: SqlObject, spend: Spend): void {
  const names = Object.keys(from);
  spend(names.length);
  for (const name of names) put(target, name, from[name]);
}

/** Sets a member below other members; objects on the way are copied, since they may be the payload's own. */
function putAt(target: Record<string, SqlValue>, path: readonly string[], value: SqlValue, spend: Spend): void {
  let into = target;
  for (const key of path.slice(0, -1)) {
    const there = Object.hasOwn(into, key) ? into[key] : undefined;
    const next: Record<string, SqlValue> = {};
    if (isSqlObject(there)) spread(next, there, spend);
    put(into, key, next);
    into = next;
  }
  put(into, path.at(-1) ?? '', value);
}
