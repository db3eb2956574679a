/**
 * The model's constraints: required members, lengths, ranges, patterns, enumerations. What is broken is said in the words
 * that AWS services use: `N validation errors detected: Value 'x' at 'path' failed to satisfy constraint: ...; ...`.
 */
import { describeValue } from './describe-value.ts';
import type { ModelName, Shape } from './model.ts';
import { matchesPattern } from './patterns.ts';
import { membersOf, shapeOf } from './table.ts';

/** Enough to mend a request by; more would let a small request make a large answer. */
const MAX_REPORTED = 10;

/** Services that name members in their messages as `userName`, where the model says `UserName`. */
const CAPITALIZED: ReadonlySet<ModelName> = new Set<ModelName>(['iam', 'sts', 'lambda']);

interface Validation {
  readonly service: ModelName;
  readonly errors: { readonly text: string; readonly path: string; readonly said: string }[];
}

/** Characters as AWS counts them: code points. */
export function codePoints(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++, count++) if ((text.codePointAt(at) ?? 0) > 0xffff) at++;
  return count;
}

function size(value: unknown, shape: Shape): number | undefined {
  if (typeof value === 'string') return codePoints(value);
  if (value instanceof Uint8Array) return value.length;
  if (Array.isArray(value)) return value.length;
  return shape.type === 'map' ? Object.keys(value as object).length : undefined;
}

/** Every constraint of a shape, broken or not, in words. */
function allConstraints(shape: Shape): string[] {
  const noun = ['integer', 'long', 'float', 'double'].includes(shape.type) ? 'value' : 'length';
  const said: string[] = [];
  if (shape.max !== undefined) said.push(`Member must have ${noun} less than or equal to ${shape.max}`);
  // A length that has an upper bound alone has 0 as its lower one, and AWS's services say so (aws-sdk-java#666).
  const least = shape.min ?? (shape.max !== undefined && noun === 'length' ? 0 : undefined);
  if (least !== undefined) said.push(`Member must have ${noun} greater than or equal to ${least}`);
  if (shape.pattern !== undefined) said.push(`Member must satisfy regular expression pattern: ${shape.pattern}`);
  if (shape.enum !== undefined) said.push(`Member must satisfy enum value set: [${shape.enum.join(', ')}]`);
  return said;
}

/** The constraints of its own shape (not of its members') that a value breaks, in words. */
function brokenConstraints(value: unknown, shape: Shape): string[] {
  const measured = typeof value === 'number' ? value : size(value, shape);
  const noun = typeof value === 'number' ? 'value' : 'length';
  const said: string[] = [];
  if (measured !== undefined && shape.max !== undefined && measured > shape.max)
    said.push(`Member must have ${noun} less than or equal to ${shape.max}`);
  if (measured !== undefined && shape.min !== undefined && measured < shape.min)
    said.push(`Member must have ${noun} greater than or equal to ${shape.min}`);
  if (typeof value === 'string') {
    if (shape.pattern !== undefined && !matchesPattern(shape.pattern, value))
      said.push(`Member must satisfy regular expression pattern: ${shape.pattern}`);
    if (shape.enum !== undefined && !shape.enum.includes(value))
      said.push(`Member must satisfy enum value set: [${shape.enum.join(', ')}]`);
  }
  return said;
}

const isScalar = (shape: Shape): boolean => shape.type !== 'structure' && shape.type !== 'list' && shape.type !== 'map';

/** AWS's services leave out a value with characters beyond ASCII (probes pf-iot-...-name-charset of cdk-preflight). */
function shownValue(value: unknown): string {
  const text = describeValue(value);
  return /[^\0-\x7f]/.test(text) ? 'Value' : `Value '${text}'`;
}

function report(validation: Validation, value: unknown, shape: Shape, path: string, said: string): void {
  if (validation.errors.length >= MAX_REPORTED) return;
  const shown = shape.sensitive ? 'Value' : value === undefined ? 'Value null' : shownValue(value);
  validation.errors.push({ text: `${shown} at '${path}' failed to satisfy constraint: ${said}`, path, said });
}

/** Members, keys or values that are scalars are validated together, and named by the collection that holds them. */
function validateScalars(
  validation: Validation,
  whole: unknown,
  scalars: readonly unknown[],
  shapes: [Shape, Shape],
  path: string,
  who: string,
): void {
  const [holder, shape] = shapes;
  if (scalars.some((value) => brokenConstraints(value, shape).length > 0))
    report(
      validation,
      whole,
      shape.sensitive ? shape : holder,
      path,
      `${who} must satisfy constraint: [${allConstraints(shape).join(', ')}]`,
    );
}

function validateList(validation: Validation, list: readonly unknown[], shape: Shape, path: string): void {
  const member = shapeOf(validation.service, shape.member ?? '');
  if (isScalar(member)) validateScalars(validation, list, list, [shape, member], path, 'Member');
  else
    for (const [index, value] of list.entries())
      validateValue(validation, value, shape.member ?? '', `${path}.${index + 1}.member`);
}

function validateMap(validation: Validation, map: Readonly<Record<string, unknown>>, shape: Shape, path: string): void {
  const value = shapeOf(validation.service, shape.value ?? '');
  validateScalars(validation, map, Object.keys(map), [shape, shapeOf(validation.service, shape.key ?? '')], path, 'Map keys');
  if (isScalar(value)) validateScalars(validation, map, Object.values(map), [shape, value], path, 'Map value');
  else
    for (const [key, each] of Object.entries(map))
      validateValue(validation, each, shape.value ?? '', `${path}.${key.slice(0, 128)}.member`);
}

function validateStructure(validation: Validation, value: Readonly<Record<string, unknown>>, shape: Shape, path: string): void {
  for (const [name, member] of membersOf(shape)) {
    const said = CAPITALIZED.has(validation.service) ? `${name.slice(0, 1).toLowerCase()}${name.slice(1)}` : name;
    const at = path === '' ? said : `${path}.${said}`;
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    if (given !== undefined) validateValue(validation, given, member.shape, at);
    else if (shape.required?.includes(name)) report(validation, undefined, { type: 'string' }, at, 'Member must not be null');
  }
}

function validateValue(validation: Validation, value: unknown, shapeName: string, path: string): void {
  if (validation.errors.length >= MAX_REPORTED) return;
  const shape = shapeOf(validation.service, shapeName);
  for (const said of brokenConstraints(value, shape)) report(validation, value, shape, path, said);
  if (Array.isArray(value)) validateList(validation, value, shape, path);
  else if (shape.type === 'map') validateMap(validation, value as Record<string, unknown>, shape, path);
  else if (shape.type === 'structure') validateStructure(validation, value as Record<string, unknown>, shape, path);
}

const IAM: ReadonlySet<ModelName> = new Set<ModelName>(['iam', 'sts']);
const IAM_NAME = 'Member must satisfy regular expression pattern: [\\w+=,.@-]+';

/** A member of the input itself that has characters which names have not. */
const isNameOfIam = (service: ModelName, { path, said }: Validation['errors'][number]): boolean =>
  IAM.has(service) && said === IAM_NAME && !path.includes('.');

/** IAM says that in words of its own, where nothing else is wrong (probe pf-iam-name-format of cdk-preflight). */
const nameWords = (path: string): string =>
  `The specified value for ${path} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`;

/** What the input breaks, in AWS's words; undefined when it breaks nothing. */
export function validate(
  operation: { readonly service: ModelName; readonly input?: string | undefined },
  input: Readonly<Record<string, unknown>>,
): string | undefined {
  if (operation.input === undefined) return undefined;
  const validation: Validation = { service: operation.service, errors: [] };
  validateStructure(validation, input, shapeOf(operation.service, operation.input), '');
  const { errors } = validation;
  const [first] = errors;
  if (first === undefined) return undefined;
  if (errors.length === 1 && isNameOfIam(operation.service, first)) return nameWords(first.path);
  const count = errors.length === 1 ? '1 validation error' : `${errors.length} validation errors`;
  return `${count} detected: ${errors.map(({ text }) => text).join('; ')}`;
}
