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

interface Validation {
  readonly service: ModelName;
  readonly errors: string[];
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
  if (shape.min !== undefined) said.push(`Member must have ${noun} greater than or equal to ${shape.min}`);
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

function report(judge: Validation, value: unknown, shape: Shape, path: string, said: string): void {
  if (judge.errors.length >= MAX_REPORTED) return;
  const shown = shape.sensitive ? 'Value' : value === undefined ? 'Value null' : `Value '${describeValue(value)}'`;
  judge.errors.push(`${shown} at '${path}' failed to satisfy constraint: ${said}`);
}

/** Members, keys or values that are scalars are judged together, and named by the collection that holds them. */
function judgeScalars(
  judge: Validation,
  whole: unknown,
  scalars: readonly unknown[],
  shapes: [Shape, Shape],
  path: string,
  who: string,
): void {
  const [holder, shape] = shapes;
  if (scalars.some((value) => brokenConstraints(value, shape).length > 0))
    report(
      judge,
      whole,
      shape.sensitive ? shape : holder,
      path,
      `${who} must satisfy constraint: [${allConstraints(shape).join(', ')}]`,
    );
}

function judgeList(judge: Validation, list: readonly unknown[], shape: Shape, path: string): void {
  const member = shapeOf(judge.service, shape.member ?? '');
  if (isScalar(member)) judgeScalars(judge, list, list, [shape, member], path, 'Member');
  else for (const [index, value] of list.entries()) judgeValue(judge, value, shape.member ?? '', `${path}.${index + 1}.member`);
}

function judgeMap(judge: Validation, map: Readonly<Record<string, unknown>>, shape: Shape, path: string): void {
  const value = shapeOf(judge.service, shape.value ?? '');
  judgeScalars(judge, map, Object.keys(map), [shape, shapeOf(judge.service, shape.key ?? '')], path, 'Map keys');
  if (isScalar(value)) judgeScalars(judge, map, Object.values(map), [shape, value], path, 'Map value');
  else
    for (const [key, each] of Object.entries(map))
      judgeValue(judge, each, shape.value ?? '', `${path}.${key.slice(0, 128)}.member`);
}

function judgeStructure(judge: Validation, value: Readonly<Record<string, unknown>>, shape: Shape, path: string): void {
  for (const [name, member] of membersOf(shape)) {
    const at = path === '' ? name : `${path}.${name}`;
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    if (given !== undefined) judgeValue(judge, given, member.shape, at);
    else if (shape.required?.includes(name)) report(judge, undefined, { type: 'string' }, at, 'Member must not be null');
  }
}

function judgeValue(judge: Validation, value: unknown, shapeName: string, path: string): void {
  if (judge.errors.length >= MAX_REPORTED) return;
  const shape = shapeOf(judge.service, shapeName);
  for (const said of brokenConstraints(value, shape)) report(judge, value, shape, path, said);
  if (Array.isArray(value)) judgeList(judge, value, shape, path);
  else if (shape.type === 'map') judgeMap(judge, value as Record<string, unknown>, shape, path);
  else if (shape.type === 'structure') judgeStructure(judge, value as Record<string, unknown>, shape, path);
}

/** What the input breaks, in AWS's words; undefined when it breaks nothing. */
export function validate(
  operation: { readonly service: ModelName; readonly input?: string | undefined },
  input: Readonly<Record<string, unknown>>,
): string | undefined {
  if (operation.input === undefined) return undefined;
  const judge: Validation = { service: operation.service, errors: [] };
  judgeStructure(judge, input, shapeOf(operation.service, operation.input), '');
  if (judge.errors.length === 0) return undefined;
  const count = judge.errors.length === 1 ? '1 validation error' : `${judge.errors.length} validation errors`;
  return `${count} detected: ${judge.errors.join('; ')}`;
}
