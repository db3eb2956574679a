/**
 * Requests that break one constraint of the service models each, in an input that is otherwise valid: made from the
 * operation table, and put on the wire by code of its own, so that the server's parser meets another reading of the protocol.
 */
import type { Member, ServiceName, Shape } from '@thingkeep/wire/api/model.ts';
import { matchesPattern } from '@thingkeep/wire/api/patterns.ts';
import { type Operation, operationsOf, shapeOf } from '@thingkeep/wire/api/table.ts';

export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export interface BrokenRequest {
  readonly operation: Operation;
  /** Kind of constraint, and the member. */
  readonly constraint: 'required' | 'min' | 'max' | 'pattern' | 'enum' | 'type';
  readonly at: string;
  readonly request: WireRequest;
}

/** One step down a shape: a member's name, `[]` into a list, `{}` a map's value, `{key}` a map's key. */
type Steps = readonly string[];

const CANDIDATES = [
  'a',
  '1',
  'A',
  'LAST',
  'p50',
  '1.0',
  'abcd',
  ',',
  'arn:aws:x',
  '10.0.0.0/8',
  'https://x.example/',
  'arn:aws:acm:us-east-1:123456789012:certificate/a1',
  'https://ingestion-a1.b.sfdc-matrix.net/streams/a/b/event',
  'lambda:InvokeFunction',
  '123456789012',
  'arn:aws:iam::000000000000:role/r',
  'arn:aws:lambda:us-east-1:123456789012:function:f',
  'arn:aws:lambda:us-east-1:123456789012:code-signing-config:csc-0123456789abcdef0',
  'arn:aws:lambda:us-east-1:123456789012:capacity-provider:c',
  'arn:aws:lambda:us-east-1:123456789012:layer:l:1',
  'arn:aws:elasticfilesystem:us-east-1:123456789012:access-point/fsap-0123456789abcdef0',
  'arn:aws:kms:us-east-1:123456789012:key/k',
  'o-0123456789',
  '/mnt/a',
  'us-east-1',
];
const STRANGE = ['a b', '\u00e9', 'a\u0001', '!', '~', '$', '\u{1F600}', '\n', ' ', ''];

const count = (text: string): number => [...text].length;
const stretch = (text: string, length: number): string =>
  count(text) >= length ? text : text.repeat(Math.ceil(length / count(text))).slice(0, length);
const fitsPattern = (shape: Shape, text: string): boolean => shape.pattern === undefined || matchesPattern(shape.pattern, text);

function validString(shape: Shape, length = Math.max(shape.min ?? 1, 1)): string {
  if (shape.enum) return shape.enum[0] ?? '';
  for (const candidate of CANDIDATES) {
    const text = stretch(candidate, length);
    if (fitsPattern(shape, text) && count(text) <= (shape.max ?? Number.POSITIVE_INFINITY)) return text;
  }
  throw new Error(`no valid string for pattern ${shape.pattern} of ${shape.min}..${shape.max}`);
}

class Builder {
  readonly service: ServiceName;
  constructor(service: ServiceName) {
    this.service = service;
  }

  shape(name: string | undefined): Shape {
    return shapeOf(this.service, name ?? '');
  }

  /** The least value that the shape allows. */
  valid(name: string | undefined): unknown {
    const shape = this.shape(name);
    switch (shape.type) {
      case 'structure':
        return Object.fromEntries((shape.required ?? []).map((member) => [member, this.validMember(shape.members?.[member])]));
      case 'list':
        return Array.from({ length: shape.min ?? 0 }, () => this.valid(shape.member));
      case 'map':
        return this.validMap(shape, shape.min ?? 0);
      case 'string':
        return validString(shape);
      case 'boolean':
        return true;
      case 'timestamp':
        return new Date(1_700_000_000_000);
      case 'blob':
        return new Uint8Array(Math.max(shape.min ?? 1, 1));
      default:
        return shape.min ?? Math.min(1, shape.max ?? 1);
    }
  }

  /** A list without members has no form in a query: that of a required parameter has one. */
  validMember(member: Member | undefined): unknown {
    const least = this.valid(member?.shape);
    return member?.location === 'querystring' && Array.isArray(least) && least.length === 0
      ? [this.valid(this.shape(member.shape).member)]
      : least;
  }

  validMap(shape: Shape, size: number): Record<string, unknown> {
    const key = this.shape(shape.key);
    const keys =
      key.enum ??
      Array.from(
        { length: size },
        (_, index) => validString(key).replace(/^./, String.fromCharCode(97 + (index % 26))) + (index > 25 ? index : ''),
      );
    return Object.fromEntries(keys.slice(0, size).map((each) => [each, this.valid(shape.value)]));
  }

  /** A valid value but for what `leaf` puts at the end of `steps`. */
  with(name: string | undefined, steps: Steps, leaf: (shape: Shape) => unknown): unknown {
    const shape = this.shape(name);
    const [step, ...rest] = steps;
    if (step === undefined) return leaf(shape);
    if (shape.type === 'structure') {
      const base = this.valid(name) as Record<string, unknown>;
      base[step] = this.with(shape.members?.[step]?.shape, rest, leaf);
      return base;
    }
    if (step === '[]') return [this.with(shape.member, rest, leaf), ...(this.valid(name) as unknown[]).slice(1)];
    const rests = Object.entries(this.valid(name) as Record<string, unknown>).slice(1);
    const [key, value] =
      step === '{key}'
        ? [String(leaf(this.shape(shape.key))), this.valid(shape.value)]
        : [String(this.valid(shape.key)), this.with(shape.value, rest, leaf)];
    return Object.fromEntries([[key, value], ...rests.filter(([other]) => other !== key)]);
  }

  /** Every place in a shape, each shape entered once on a way down. */
  *sites(
    name: string | undefined,
    steps: Steps = [],
    above: readonly string[] = [],
  ): Generator<{ steps: Steps; name: string; shape: Shape; owner?: Shape }> {
    if (name === undefined || above.includes(name)) return;
    const shape = this.shape(name);
    const within = [...above, name];
    for (const [member, of] of Object.entries(shape.members ?? {})) {
      yield { steps: [...steps, member], name: of.shape, shape: this.shape(of.shape), owner: shape };
      yield* this.sites(of.shape, [...steps, member], within);
    }
    if (shape.type === 'list') {
      yield { steps: [...steps, '[]'], name: shape.member ?? '', shape: this.shape(shape.member) };
      yield* this.sites(shape.member, [...steps, '[]'], within);
    }
    if (shape.type === 'map') {
      yield { steps: [...steps, '{key}'], name: shape.key ?? '', shape: this.shape(shape.key) };
      yield { steps: [...steps, '{}'], name: shape.value ?? '', shape: this.shape(shape.value) };
      yield* this.sites(shape.value, [...steps, '{}'], within);
    }
  }
}

const ABSENT = Symbol('absent');
/** A value of another JSON type than the shape's, marked so that the serializer passes it on as it is. */
class Raw {
  readonly json: unknown;
  constructor(json: unknown) {
    this.json = json;
  }
}

/** Values of the shape that break one constraint each. */
function* breaches(builder: Builder, shape: Shape): Generator<[BrokenRequest['constraint'], unknown]> {
  const { min, max } = shape;
  if (shape.type === 'string') {
    const repeat = (length: number): string => {
      const fitting = CANDIDATES.map((text) => stretch(text, length).slice(0, length)).find((text) => fitsPattern(shape, text));
      return fitting ?? 'a'.repeat(length);
    };
    if (min !== undefined && min > 0) yield ['min', repeat(min - 1)];
    if (max !== undefined && shape.enum === undefined) yield ['max', repeat(max + 1)];
    const strange = STRANGE.map((text) => (text === '' ? text : stretch(text, min ?? 1))).find(
      (text) => !fitsPattern(shape, text),
    );
    if (shape.pattern !== undefined && strange !== undefined) yield ['pattern', strange];
    if (shape.enum !== undefined) yield ['enum', `NO_SUCH_${shape.enum[0]}`];
  } else if (shape.type === 'list') {
    if (min !== undefined && min > 0) yield ['min', []];
    if (max !== undefined) yield ['max', Array.from({ length: max + 1 }, () => builder.valid(shape.member))];
  } else if (shape.type === 'map') {
    if (min !== undefined && min > 0) yield ['min', {}];
    const whole = max === undefined ? {} : builder.validMap(shape, max + 1);
    if (max !== undefined && Object.keys(whole).length > max) yield ['max', whole];
  } else if (shape.type === 'blob') {
    if (min !== undefined && min > 0) yield ['min', new Uint8Array(min - 1)];
    if (max !== undefined) yield ['max', new Uint8Array(max + 1)];
  } else {
    if (min !== undefined) yield ['min', min - 1];
    if (max !== undefined) yield ['max', max + 1];
  }
}

const otherType = (shape: Shape): unknown =>
  shape.type === 'string' || shape.type === 'timestamp' ? { no: 1 } : 'not of this type';

function toJson(value: unknown): unknown {
  if (value instanceof Raw) return value.json;
  if (value instanceof Date) return value.getTime() / 1000;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, each]) => each !== ABSENT)
        .map(([key, each]) => [key, toJson(each)]),
    );
  return value;
}

const toText = (value: unknown): string =>
  value instanceof Raw ? String(value.json) : value instanceof Date ? value.toISOString() : String(value);

const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/** The request that carries an input, as an SDK would send it. */
export function serialize(operation: Operation, input: Readonly<Record<string, unknown>>): WireRequest {
  const shape: Shape = operation.input === undefined ? { type: 'structure' } : shapeOf(operation.service, operation.input);
  let path = operation.path;
  const query: string[] = [];
  const headers: Record<string, string> = {};
  const rest: Record<string, unknown> = {};
  let body: string | Uint8Array = '';
  const place = (name: string, { location, locationName = name, jsonvalue }: Member, value: unknown): void => {
    if (location === 'uri') path = path.replace(new RegExp(`\\{${locationName}\\+?\\}`), encode(toText(value)));
    else if (location === 'querystring')
      for (const each of Array.isArray(value) ? value : [value]) query.push(`${encode(locationName)}=${encode(toText(each))}`);
    else if (location === 'header')
      headers[locationName.toLowerCase()] = jsonvalue
        ? Buffer.from(JSON.stringify([{ a: value }])).toString('base64')
        : toText(value);
    else rest[name] = value;
  };
  for (const [name, member] of Object.entries(shape.members ?? {})) {
    const value = input[name];
    if (value !== undefined && value !== ABSENT) place(name, member, value);
  }
  const payload = shape.payload === undefined ? undefined : rest[shape.payload];
  if (shape.payload === undefined) body = Object.keys(rest).length > 0 ? JSON.stringify(toJson(rest)) : '';
  else if (payload instanceof Uint8Array) body = payload;
  else if (payload !== undefined) body = JSON.stringify(toJson(payload));
  return { method: operation.method, path, query: query.join('&'), headers, body };
}

/** The least input that the operation takes. */
export const validRequest = (operation: Operation): WireRequest =>
  serialize(
    operation,
    operation.input === undefined ? {} : (new Builder(operation.service).valid(operation.input) as Record<string, unknown>),
  );

/** `GET /certificate-providers/` is the list, so no empty name can be asked for. */
const listsInstead = ({ method, path, service }: Operation): boolean =>
  operationsOf(service).some((other) => other.method === method && other.path.endsWith('/') && path.startsWith(`${other.path}{`));

/** Whether the wire can carry this breach: a path can't leave out a label, and a text member can't be of another type. */
function carries(operation: Operation, steps: Steps, shape: Shape, constraint: BrokenRequest['constraint']): boolean {
  const member = shapeOf(operation.service, operation.input ?? '').members?.[steps[0] ?? ''];
  if (steps.at(-1) === '{key}' && constraint === 'type') return false;
  // Every text of a query is a list of texts.
  if (member?.location === 'querystring' && shapeOf(operation.service, member.shape).type === 'list' && constraint === 'type')
    return false;
  if (
    steps.length === 1 &&
    member?.location === 'uri' &&
    (constraint === 'required' || (constraint === 'min' && listsInstead(operation)))
  )
    return false;
  if (steps.length > 1 || constraint !== 'type') return true;
  return member?.location === undefined ? shape.type !== 'blob' || !isPayload(operation, steps) : shape.type !== 'string';
}

/** Signers and servers read a header's other characters each in a way of its own. */
const fitsHeader = (operation: Operation, steps: Steps, value: unknown): boolean =>
  shapeOf(operation.service, operation.input ?? '').members?.[steps[0] ?? '']?.location !== 'header' ||
  operation.service !== 'lambda' ||
  typeof value !== 'string' ||
  /^[!-~]+$/.test(value);

const isPayload = (operation: Operation, steps: Steps): boolean =>
  shapeOf(operation.service, operation.input ?? '').payload === steps[0];

/** Every breach of every constraint that the operation's input can reach. */
export function* brokenRequests(operation: Operation): Generator<BrokenRequest> {
  const builder = new Builder(operation.service);
  for (const { steps, shape, owner } of builder.sites(operation.input)) {
    const found: [BrokenRequest['constraint'], unknown][] = [...breaches(builder, shape), ['type', new Raw(otherType(shape))]];
    if (owner?.required?.includes(steps.at(-1) ?? '')) found.push(['required', ABSENT]);
    for (const [constraint, value] of found) {
      if (!carries(operation, steps, shape, constraint) || !fitsHeader(operation, steps, value)) continue;
      const input = builder.with(operation.input, steps, () => value) as Record<string, unknown>;
      yield { operation, constraint, at: steps.join('.'), request: serialize(operation, input) };
    }
  }
}

/** Valid requests that fill each place of the operation's input in turn: what shows that a breach alone is refused for itself. */
export function* filledRequests(operation: Operation): Generator<{ at: string; request: WireRequest }> {
  const builder = new Builder(operation.service);
  for (const { steps, name } of builder.sites(operation.input)) {
    const [member = ''] = steps;
    const value =
      steps.length === 1 ? builder.validMember(builder.shape(operation.input).members?.[member]) : builder.valid(name);
    yield {
      at: steps.join('.'),
      request: serialize(operation, builder.with(operation.input, steps, () => value) as Record<string, unknown>),
    };
  }
}

export const everyOperation = (): readonly Operation[] =>
  (['iot', 'iot-data', 'iot-jobs-data', 'lambda'] as const).flatMap(operationsOf);
