/**
 * A form of the query protocol -> an operation's input. A nested member is named by its path, `Tags.member.1.Key`; places in
 * a list count from 1 (Smithy, AWS query protocol). Constraints are checked afterwards, in validate.ts.
 */
import type { ModelName } from './model.ts';
import { parseQuery } from './percent.ts';
import { membersOf, shapeOf } from './table.ts';
import { dateOfText } from './timestamps.ts';

/** Names of parameters as a tree: what stands between two dots is a step. */
interface FormNode {
  text?: string;
  readonly children: Map<string, FormNode>;
}

/** More parameters than any request of these services has. */
const MAX_PARAMETERS = 2_000;
const DEEPEST = 12;

/** Why a form is none, in words that may be shown; an Error only so that it can be thrown. */
export class FormError extends Error {
  override readonly name = 'FormError';
}

/**
 * Parameters of a query string and of a body (`application/x-www-form-urlencoded`), in order. Fails with
 * {@link FormError} for an escape that is none and for a name that stands twice.
 */
export function formParameters(query: string, body: Uint8Array): ReadonlyMap<string, string> {
  const pairs = [query, new TextDecoder().decode(body)].map((text) => parseQuery(text.replaceAll('+', '%20')));
  const parameters = new Map<string, string>();
  for (const list of pairs) {
    if (list === undefined) throw new FormError('The form holds an escape that is none');
    for (const [name, value] of list) {
      if (parameters.has(name)) throw new FormError(`The parameter ${name.slice(0, 128)} stands twice`);
      parameters.set(name, value);
      if (parameters.size > MAX_PARAMETERS) throw new FormError(`A request has ${MAX_PARAMETERS} parameters at most`);
    }
  }
  return parameters;
}

function treeOf(parameters: ReadonlyMap<string, string>): FormNode {
  const root: FormNode = { children: new Map() };
  for (const [name, text] of parameters) {
    const steps = name.split('.');
    if (steps.length > DEEPEST) throw new FormError(`The parameter ${name.slice(0, 128)} is nested too deeply`);
    let node = root;
    for (const step of steps) {
      const child = node.children.get(step) ?? { children: new Map() };
      node.children.set(step, child);
      node = child;
    }
    node.text = text;
  }
  return root;
}

const INTEGER = /^-?\d{1,10}$/;
const PLACE = /^[1-9]\d{0,4}$/;

const mismatch = (path: string, type: string): never => {
  throw new FormError(`The value of ${path.slice(0, 128)} is no ${type}`);
};

function scalar(text: string, type: string, path: string): unknown {
  switch (type) {
    case 'string':
      return text;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : mismatch(path, type);
    case 'integer':
    case 'long':
      return INTEGER.test(text) ? Number(text) : mismatch(path, type);
    case 'timestamp':
      return dateOfText(text) ?? mismatch(path, type);
    default:
      return mismatch(path, type);
  }
}

/** Members in the order of their places; gaps close, as they do at AWS. */
function list(service: ModelName, node: FormNode, member: string, path: string): unknown[] {
  const items = [...(node.children.get('member')?.children ?? [])];
  for (const [place] of items) if (!PLACE.test(place)) throw new FormError(`${path.slice(0, 128)} has a place that is no number`);
  items.sort(([left], [right]) => Number(left) - Number(right));
  return items.map(([place, item]) => value(service, item, member, `${path}.member.${place}`));
}

function value(service: ModelName, node: FormNode, shapeName: string, path: string): unknown {
  const shape = shapeOf(service, shapeName);
  if (shape.type === 'structure') return structure(service, node, shapeName, path);
  if (shape.type === 'list') return list(service, node, shape.member ?? '', path);
  return node.text === undefined ? undefined : scalar(node.text, shape.type, path);
}

function structure(service: ModelName, node: FormNode, shapeName: string, path: string): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, { shape }] of membersOf(shapeOf(service, shapeName))) {
    const given = node.children.get(name);
    const parsed = given === undefined ? undefined : value(service, given, shape, path === '' ? name : `${path}.${name}`);
    if (parsed !== undefined) result[name] = parsed;
  }
  return result;
}

/** The input of an operation whose input shape is `shapeName`. Unknown parameters are dropped. Fails with {@link FormError}. */
export const inputOfForm = (
  service: ModelName,
  shapeName: string,
  parameters: ReadonlyMap<string, string>,
): Record<string, unknown> => structure(service, treeOf(parameters), shapeName, '');
