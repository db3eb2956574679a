/**
 * Values in provisioning templates: texts, lists of texts, and documents, with `Ref` and the intrinsic functions in them. What
 * can't be evaluated whatever the parameters are is refused when it is read (developer guide, page provision-template).
 */
import type { JsonValue } from '@thingkeep/wire/api/parse-json.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { isObject } from '@thingkeep/wire/is-object.ts';

/** What a template is evaluated with. */
export interface TemplateScope {
  readonly parameters: ReadonlyMap<string, string>;
  /** Characters that may still come of it: a body of a few lines could name a long parameter a thousand times. */
  readonly budget: { left: number };
}

export type TextExpression = (scope: TemplateScope) => string;
export type ListExpression = (scope: TemplateScope) => readonly string[];

export type Mappings = ReadonlyMap<string, ReadonlyMap<string, ReadonlyMap<string, string>>>;

/** What an expression may use, and where it stands. */
export interface ExpressionContext {
  /** Names that `Ref` may have. */
  readonly parameters: ReadonlySet<string>;
  readonly mappings: Mappings;
  /** Only fleet provisioning templates have intrinsic functions. */
  readonly functions: boolean;
  /** `Fn::Join` is not for policies. */
  readonly join: boolean;
  /** Where it stands in the body, as an error names it. */
  readonly at: string;
}

/** Characters of all values of one evaluation. */
export const MAX_EVALUATED = 256 * 1024;
/** The parts of one list: `Fn::Split` makes as many as its text has delimiters. */
const MAX_LIST = 1_000;

export const invalidBody = (why: string): never => fail('InvalidRequestException', `The template body is invalid: ${why}`);

export const registrationFailure = (why: string): never => fail('ResourceRegistrationFailureException', why);

/** An empty text costs a character too: nested functions could make of a small body more of them than there is time. */
function spend({ budget }: TemplateScope, text: string): string {
  budget.left -= text.length + 1;
  return budget.left < 0 ? registrationFailure(`The template gives more than ${MAX_EVALUATED} characters.`) : text;
}

const within = (context: ExpressionContext, step: string | number): ExpressionContext => ({
  ...context,
  at: `${context.at}.${step}`,
});

/** The one member of an object that is an expression: its name and its argument. */
function expressionIn(value: JsonValue): readonly [name: string, argument: JsonValue] | undefined {
  if (!isObject(value)) return undefined;
  const [entry, ...more] = Object.entries(value);
  return entry !== undefined && more.length === 0 && (entry[0] === 'Ref' || entry[0].startsWith('Fn::')) ? entry : undefined;
}

function elements(argument: JsonValue, count: number, name: string, { at }: ExpressionContext): readonly JsonValue[] {
  if (Array.isArray(argument) && argument.length === count) return argument;
  return invalidBody(`${name} in ${at} takes a list of ${count}`);
}

function reference(argument: JsonValue, { parameters, at }: ExpressionContext): TextExpression {
  if (typeof argument !== 'string' || !parameters.has(argument))
    return invalidBody(`Ref in ${at} names no parameter: ${String(argument).slice(0, 128)}`);
  return (scope) => spend(scope, scope.parameters.get(argument) ?? registrationFailure(`Parameter ${argument} has no value.`));
}

function join(argument: JsonValue, context: ExpressionContext): TextExpression {
  if (!context.join) return invalidBody(`Fn::Join can not be used in the policy of ${context.at}`);
  const [delimiter = null, items = null] = elements(argument, 2, 'Fn::Join', context);
  if (typeof delimiter !== 'string') return invalidBody(`the delimiter of Fn::Join in ${context.at} is not a string`);
  const list = readList(items, within(context, 'Fn::Join'));
  return (scope) => spend(scope, list(scope).join(delimiter));
}

function select(argument: JsonValue, context: ExpressionContext): TextExpression {
  const [first = null, items = null] = elements(argument, 2, 'Fn::Select', context);
  const index = readText(first, within(context, 'Fn::Select'));
  const list = readList(items, within(context, 'Fn::Select'));
  return (scope) => {
    const asked = index(scope);
    const found = /^\d{1,4}$/.test(asked) ? list(scope)[Number(asked)] : undefined;
    return found ?? registrationFailure(`Fn::Select in ${context.at} has nothing at ${asked.slice(0, 32)}.`);
  };
}

function findInMap(argument: JsonValue, context: ExpressionContext): TextExpression {
  const [name, top, second] = elements(argument, 3, 'Fn::FindInMap', context).map((each) =>
    readText(each, within(context, 'Fn::FindInMap')),
  );
  return (scope) => {
    const keys = [name, top, second].map((key) => key?.(scope) ?? '');
    const [map = '', topKey = '', secondKey = ''] = keys;
    const found = context.mappings.get(map)?.get(topKey)?.get(secondKey);
    if (found === undefined)
      return registrationFailure(`Fn::FindInMap in ${context.at} finds nothing at ${keys.join('.').slice(0, 256)}.`);
    return spend(scope, found);
  };
}

const VARIABLE = /\$\{(!?)([^{}]*)\}/g;

function substitute(argument: JsonValue, context: ExpressionContext): TextExpression {
  const [template = null, given = {}] = typeof argument === 'string' ? [argument, {}] : elements(argument, 2, 'Fn::Sub', context);
  if (typeof template !== 'string' || !isObject(given))
    return invalidBody(`Fn::Sub in ${context.at} takes a string, or a list of a string and a map`);
  const values = new Map(
    Object.entries(given).map(([name, value]) => [name, readText(value, within(context, `Fn::Sub.${name}`))]),
  );
  for (const [, literal, name = ''] of template.matchAll(VARIABLE))
    if (literal === '' && !values.has(name) && !context.parameters.has(name))
      invalidBody(`Fn::Sub in ${context.at} names no parameter: ${name.slice(0, 128)}`);
  const value = (scope: TemplateScope, name: string): string =>
    values.get(name)?.(scope) ?? scope.parameters.get(name) ?? registrationFailure(`Parameter ${name} has no value.`);
  return (scope) => {
    let length = template.length;
    const text = template.replace(VARIABLE, (_, literal: string, name: string) => {
      if (literal !== '') return `\${${name}}`;
      const found = value(scope, name);
      length += found.length;
      // The text may not even be made where it would be too long.
      return length > scope.budget.left ? registrationFailure('The template gives too many characters.') : found;
    });
    return spend(scope, text);
  };
}

function split(argument: JsonValue, context: ExpressionContext): ListExpression {
  const [delimiter = null, source = null] = elements(argument, 2, 'Fn::Split', context);
  if (typeof delimiter !== 'string' || delimiter === '')
    return invalidBody(`the delimiter of Fn::Split in ${context.at} is not a string of a character or more`);
  const text = readText(source, within(context, 'Fn::Split'));
  return (scope) => {
    const parts = text(scope).split(delimiter, MAX_LIST + 1);
    return parts.length > MAX_LIST ? registrationFailure(`Fn::Split in ${context.at} gives more than ${MAX_LIST} texts.`) : parts;
  };
}

const TEXTS: Readonly<Record<string, (argument: JsonValue, context: ExpressionContext) => TextExpression>> = {
  'Fn::Join': join,
  'Fn::Select': select,
  'Fn::FindInMap': findInMap,
  'Fn::Sub': substitute,
};

function checkFunction(name: string, { functions, at }: ExpressionContext): void {
  if (!functions) invalidBody(`${name} in ${at} is only for fleet provisioning templates`);
  if (name !== 'Fn::Split' && !Object.hasOwn(TEXTS, name)) invalidBody(`${at} has an unknown function, ${name.slice(0, 128)}`);
}

/** A text, or an expression that gives one. Numbers and booleans are taken as they are written. */
export function readText(value: JsonValue, context: ExpressionContext): TextExpression {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    const text = String(value);
    return (scope) => spend(scope, text);
  }
  const [name, argument = null] = expressionIn(value) ?? invalidBody(`${context.at} is not a string`);
  if (name === 'Ref') return reference(argument, context);
  checkFunction(name, context);
  return TEXTS[name]?.(argument, context) ?? invalidBody(`${context.at} is a list, where a string is needed`);
}

/** A list of texts, or an expression that gives one. */
export function readList(value: JsonValue, context: ExpressionContext): ListExpression {
  if (Array.isArray(value)) {
    const items = value.map((each, index) => readText(each, within(context, index)));
    return (scope) => items.map((item) => item(scope));
  }
  const [name, argument = null] = expressionIn(value) ?? invalidBody(`${context.at} is not a list`);
  checkFunction(name, context);
  return name === 'Fn::Split' ? split(argument, context) : invalidBody(`${context.at} is not a list`);
}

/** A map of texts. */
export function readTexts(
  value: JsonValue,
  context: ExpressionContext,
): (scope: TemplateScope) => Readonly<Record<string, string>> {
  if (!isObject(value) || expressionIn(value) !== undefined) return invalidBody(`${context.at} is not a map`);
  const members = Object.entries(value).map(([name, each]) => [name, readText(each, within(context, name))] as const);
  return (scope) => Object.fromEntries(members.map(([name, text]) => [name, text(scope)]));
}

/** Any JSON, in which expressions may stand wherever a value does. */
export function readDocument(value: JsonValue, context: ExpressionContext): (scope: TemplateScope) => JsonValue {
  if (expressionIn(value) !== undefined || typeof value === 'string') return readText(value, context);
  if (Array.isArray(value)) {
    const items = value.map((each, index) => readDocument(each, within(context, index)));
    return (scope) => items.map((item) => item(scope));
  }
  if (!isObject(value)) return () => value;
  const members = Object.entries(value).map(([name, each]) => [name, readDocument(each, within(context, name))] as const);
  return (scope) => Object.fromEntries(members.map(([name, of]) => [name, of(scope)]));
}
