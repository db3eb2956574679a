/**
 * Method and raw path -> operation and labels. Three pairs of operations share method and path; the services whose
 * operations the request may name (by its SigV4 scope, or by the port it came in on) decide between them.
 */
import { fail } from '../errors.ts';
import { badInputCode } from './error-codes.ts';
import { percentDecode } from './percent.ts';
import { type Operation, operationsOf, SERVICE_NAMES, type ServiceName, signingName } from './table.ts';

export interface Route {
  readonly operation: Operation;
  /** Path label -> decoded text. */
  readonly labels: ReadonlyMap<string, string>;
}

interface RouteTemplate {
  readonly operation: Operation;
  readonly labels: readonly string[];
}

interface RouteNode {
  readonly literals: Map<string, RouteNode>;
  label?: RouteNode;
  /** Templates that end here, and those whose last label takes all that follows. */
  readonly ends: RouteTemplate[];
  readonly greedy: RouteTemplate[];
}

const newNode = (): RouteNode => ({ literals: new Map(), ends: [], greedy: [] });

/**
 * Devices publish to `/topics/a/b` as well as to `/topics/a%2Fb` (developer guide, page http): the model has the latter alone.
 */
const isGreedy = (operation: Operation, segment: string): boolean => segment.endsWith('+}') || operation.name === 'Publish';

const ROOTS = new Map<string, RouteNode>();

function descend(nodes: Map<string, RouteNode>, key: string): RouteNode {
  const node = nodes.get(key) ?? newNode();
  nodes.set(key, node);
  return node;
}

function add(operation: Operation): void {
  let node = descend(ROOTS, operation.method);
  const labels: string[] = [];
  for (const segment of operation.path.split('/').slice(1)) {
    // Two paths of the model end in a slash; clients that drop it are served as well.
    if (segment === '') node.ends.push({ operation, labels });
    if (!segment.startsWith('{')) {
      node = descend(node.literals, segment);
      continue;
    }
    labels.push(segment.slice(1, segment.endsWith('+}') ? -2 : -1));
    if (isGreedy(operation, segment)) {
      node.greedy.push({ operation, labels });
      return;
    }
    node.label ??= newNode();
    node = node.label;
  }
  node.ends.push({ operation, labels });
}

for (const service of SERVICE_NAMES) for (const operation of operationsOf(service)) add(operation);

interface Match {
  readonly template: RouteTemplate;
  readonly values: readonly string[];
}

/** Literals before labels, labels before a greedy one. Depth is bounded by the templates, so this can't blow up. */
function match(
  node: RouteNode,
  segments: readonly string[],
  at: number,
  values: readonly string[],
  services: readonly ServiceName[],
): Match | undefined {
  const pick = (templates: readonly RouteTemplate[]) => templates.find(({ operation }) => services.includes(operation.service));
  if (at === segments.length) {
    const template = pick(node.ends);
    return template && { template, values };
  }
  const segment = segments[at] ?? '';
  const literal = node.literals.get(segment);
  const found =
    (literal && match(literal, segments, at + 1, values, services)) ??
    (node.label && match(node.label, segments, at + 1, [...values, segment], services));
  if (found) return found;
  const template = pick(node.greedy);
  return template && { template, values: [...values, segments.slice(at).join('/')] };
}

/**
 * Services whose operations a request signed for this scope may call. Developer guide, page device-shadow-rest-api, names
 * `iotdevicegateway`.
 */
export function servicesOfScope(scope: string): readonly ServiceName[] {
  if (scope === 'iotdevicegateway') return ['iot-data'];
  // SDKs of before 2023 (botocore 1.29, Debian 12's) sign the control plane for this one: their model's signingName.
  if (scope === 'execute-api') return ['iot'];
  return SERVICE_NAMES.filter((service) => signingName(service) === scope);
}

/** The operation of a request among `services`, or undefined when they have none for it. */
export function findRoute(method: string, path: string, services: readonly ServiceName[]): Route | undefined {
  const root = ROOTS.get(method);
  if (root === undefined || !path.startsWith('/')) return undefined;
  const segments = path.split('/').slice(1);
  // Signers drop dot segments (RFC 3986 section 5.2.4), so a signature would cover another path than the one acted on.
  if (segments.includes('.') || segments.includes('..')) return undefined;
  const found = match(root, segments, 0, [], services);
  if (found === undefined) return undefined;
  const { operation, labels: names } = found.template;
  const labels = new Map<string, string>();
  names.forEach((name, index) => {
    const raw = found.values[index] ?? '';
    const value = percentDecode(raw);
    if (value === undefined) fail(badInputCode(operation), `The path holds a malformed percent-encoding at '${name}'`);
    if (value === '' || (raw.includes('/') && raw.split('/').includes('')))
      fail(
        badInputCode(operation),
        `1 validation error detected: Value '' at '${name}' failed to satisfy constraint: Member must have length greater than or equal to 1`,
      );
    labels.set(name, value);
  });
  return { operation, labels };
}

/** As {@link findRoute}, but what is found nowhere is refused. */
export function route(method: string, path: string, services: readonly ServiceName[]): Route {
  return (
    findRoute(method, path, services) ??
    fail('UnknownOperationException', `No operation of AWS IoT answers ${method} at this path`)
  );
}
