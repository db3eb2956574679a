/** The parameters of an action with their templates: compiled once, rendered for each message. */
import type { RuleQuery } from './sql/rule-query.ts';
import type { Scope } from './sql/contract.ts';

/** Renders into a copy; a promise only when a template has to wait for a function of the world. */
export interface ActionParameters {
  /** When they hold no template: then they are the same for every message. */
  readonly constant: unknown;
  render(scope: Scope): unknown;
}

type ParameterPart = { readonly constant: unknown } | { readonly render: (scope: Scope) => unknown };

const isPromise = (value: unknown): value is Promise<unknown> => value instanceof Promise;

/**
 * Compiles the templates in `given`. Members named in `literal`, and roles, are taken as they are. A template that is
 * wrong fails with SqlParseException.
 */
export function compileParameters(query: RuleQuery, given: unknown, literal: readonly string[] = []): ActionParameters {
  const part = compile(query, given, new Set([...literal, 'roleArn']));
  if ('constant' in part) return { constant: part.constant, render: () => part.constant };
  return { constant: undefined, render: part.render };
}

function compile(query: RuleQuery, given: unknown, literal: ReadonlySet<string>): ParameterPart {
  if (typeof given === 'string') {
    const template = query.template(given);
    return template.constant === undefined ? { render: (scope) => template.render(scope) } : { constant: template.constant };
  }
  if (typeof given !== 'object' || given === null) return { constant: given };
  const names = Object.keys(given);
  const parts = names.map((name): ParameterPart => {
    const value = (given as Record<string, unknown>)[name];
    return literal.has(name) ? { constant: value } : compile(query, value, literal);
  });
  if (parts.every((part) => 'constant' in part)) return { constant: given };
  const isList = Array.isArray(given);
  const assemble = (values: readonly unknown[]): unknown =>
    isList ? values : Object.fromEntries(names.map((name, i) => [name, values[i]]));
  return {
    render: (scope) => {
      const values = parts.map((part) => ('constant' in part ? part.constant : part.render(scope)));
      return values.some(isPromise) ? Promise.all(values).then(assemble) : assemble(values);
    },
  };
}
