/** A routed request -> the operation's input: path labels, query, headers and body into members, then the constraints. */
import { fail } from '../errors.ts';
import { badInputCode } from './error-codes.ts';
import type { Shape } from './model.ts';
import { JsonError, parseExactJson } from './parse-json.ts';
import { fromText, structureFromJson, TypeMismatch } from './parse-value.ts';
import { parseQuery, parseTagging } from './percent.ts';
import type { Route } from './route.ts';
import { membersOf, type Operation, shapeOf } from './table.ts';
import { validate } from './validate.ts';

export interface RequestParts {
  /** Raw query, without `?`. */
  readonly query: string;
  /** Value of a header, by its lower-case name. */
  header(name: string): string | undefined;
  readonly body: Uint8Array;
}

export type ParsedInput = Record<string, unknown>;

function bad(operation: Operation, message: string): never {
  return fail(badInputCode(operation), message);
}

/** The query's parameters; a parameter given twice is an array of its values. */
function queryParameters(operation: Operation, query: string): Map<string, string[]> {
  const pairs = parseQuery(query) ?? bad(operation, 'The query string holds a malformed percent-encoding');
  const parameters = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    const values = parameters.get(name);
    if (values) values.push(value);
    else parameters.set(name, [value]);
  }
  return parameters;
}

/** A header as it came: Node hands bytes over as Latin-1, and a value that holds UTF-8 says so. */
function utf8Header(text: string): string | undefined {
  if (!/[\u0080-\uffff]/.test(text)) return text;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(text, (char) => char.charCodeAt(0)));
  } catch {
    return undefined;
  }
}

function readLocated({ operation, labels }: Route, shape: Shape, request: RequestParts, input: ParsedInput): void {
  const { service } = operation;
  const query = queryParameters(operation, request.query);
  for (const [name, member] of membersOf(shape)) {
    const wireName = member.locationName ?? name;
    if (member.location === 'uri') {
      const label = labels.get(wireName);
      if (label !== undefined) input[name] = fromText(service, label, member, name);
    } else if (member.location === 'querystring') {
      const values = query.get(wireName);
      if (values === undefined) continue;
      const of = shapeOf(service, member.shape);
      if (of.type === 'list') input[name] = values.map((value) => fromText(service, value, { shape: of.member ?? '' }, name));
      else if (values.length > 1) bad(operation, `Query parameter '${wireName}' is given more than once`);
      else input[name] = fromText(service, values[0] ?? '', member, name);
    } else if (member.location === 'header') {
      const raw = request.header(wireName.toLowerCase());
      if (raw === undefined) continue;
      const text = utf8Header(raw) ?? bad(operation, `Header '${wireName}' is not UTF-8`);
      if (wireName === 'x-amz-tagging' && parseTagging(text) === undefined)
        bad(operation, `Header 'x-amz-tagging' must hold tags as key1=value1&key2=value2, percent-encoded`);
      input[name] = fromText(service, text, member, name);
    }
  }
}

function readBody({ operation }: Route, shape: Shape, body: Uint8Array, input: ParsedInput): void {
  const { service } = operation;
  const payload = shape.payload === undefined ? undefined : shape.members?.[shape.payload];
  if (payload !== undefined && shapeOf(service, payload.shape).type === 'blob') {
    // An empty body and none are the same thing on the wire.
    if (body.length > 0) input[shape.payload ?? ''] = body;
    return;
  }
  const takesBody = payload !== undefined || Object.values(shape.members ?? {}).some((member) => member.location === undefined);
  if (!takesBody || body.length === 0) return;
  const value = parseExactJson(body);
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    bad(operation, 'The request body must be a JSON object');
  if (payload === undefined) Object.assign(input, structureFromJson(service, value, shape, ''));
  else input[shape.payload ?? ''] = structureFromJson(service, value, shapeOf(service, payload.shape), shape.payload ?? '');
}

/** The input that the operation's handler may rely on; whatever is wrong with the request fails with a code it declares. */
export function parseRequest(route: Route, request: RequestParts): ParsedInput {
  const { operation } = route;
  const input: ParsedInput = {};
  if (operation.input === undefined) return input;
  const shape = shapeOf(operation.service, operation.input);
  try {
    readLocated(route, shape, request, input);
    readBody(route, shape, request.body, input);
  } catch (error) {
    if (error instanceof JsonError) bad(operation, `The request is not well-formed JSON: ${error.message}`);
    if (error instanceof TypeMismatch) bad(operation, error.message);
    throw error;
  }
  const broken = validate(operation, input);
  if (broken !== undefined) bad(operation, broken);
  return input;
}
