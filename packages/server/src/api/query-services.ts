/**
 * Services of AWS's query protocol (form in, XML out): IAM and STS by the operation table, and the little of EC2 that tools ask
 * before they reach AWS IoT. Every other action is refused as an unknown one.
 */
import type { NeededPermission } from '@thingkeep/wire/api/data-permissions.ts';
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import type { QueryServiceName } from '@thingkeep/wire/api/model.ts';
import { FormError, formParameters, inputOfForm } from '@thingkeep/wire/api/parse-form.ts';
import type { Rendered } from '@thingkeep/wire/api/render-response.ts';
import { elementsOf } from '@thingkeep/wire/api/render-xml.ts';
import { findQueryOperation, type QueryOperation, queryService } from '@thingkeep/wire/api/table.ts';
import { validate } from '@thingkeep/wire/api/validate.ts';
import { fail, ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { AccessKey } from './access-keys.ts';
import { availabilityZones } from './availability-zones.ts';
import { mayAsk, mayQuery, type ResourceKeys } from './key-permissions.ts';
import { NAMESPACES, xmlAnswer } from './query-errors.ts';
import { type Xml, xmlDocument } from './xml.ts';

/** Who asks, and with which key. */
export interface QueryCaller extends Caller {
  readonly key: AccessKey;
}

/** What a domain hands over for a service of the query protocol. */
export interface QueryService {
  /** By the operation's name. Input is parsed and validated. */
  readonly operations: Readonly<Record<string, (input: never, caller: QueryCaller) => Promise<object>>>;
  /** Permissions of IAM policies that the call needs. */
  needed(operation: string, input: object, caller: QueryCaller): Promise<readonly NeededPermission[]>;
}

export type QueryServices = Readonly<Partial<Record<QueryServiceName, QueryService>>>;

export const isQueryService = (service: string | undefined): service is 'iam' | 'sts' | 'ec2' =>
  service !== undefined && NAMESPACES.has(service);

const unknownAction = (parameters: ReadonlyMap<string, string>): never =>
  fail(
    'InvalidAction',
    `Could not find operation ${(parameters.get('Action') ?? '').slice(0, 128)} for version ${(parameters.get('Version') ?? '').slice(0, 32)}`,
  );

/** Fails with ValidationError for a form that can't be read as the input. */
function formOf<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof FormError) return fail('ValidationError', error.message);
    throw error;
  }
}

function inputOf(operation: QueryOperation, parameters: ReadonlyMap<string, string>): object {
  const { service, input: shape } = operation;
  const input = shape === undefined ? {} : formOf(() => inputOfForm(service, shape, parameters));
  const broken = validate(operation, input);
  return broken === undefined ? input : fail('ValidationError', broken);
}

const withMetadata = ({ name, service, output }: QueryOperation, result: object, requestId: string): Xml => [
  ...(output === undefined ? [] : [[`${name}Result`, elementsOf(service, result as Record<string, unknown>, output)] as const]),
  ['ResponseMetadata', [['RequestId', requestId]]],
];

/** What Terraform's AWS provider asks for before anything else. */
const EC2_ACTION = 'DescribeAvailabilityZones';

/** What the front does around an operation. */
export interface QueryFront {
  readonly resourceKeys: ResourceKeys;
  /** Runs the check of permissions, and writes a change into the audit log. */
  readonly audited: (operation: string, input: object, authorize: () => Promise<void>) => Promise<void>;
}

/** Answers a signed request. Parameters come by query string and, with POST, as a form. */
export async function answerQuery(
  services: QueryServices | undefined,
  service: 'iam' | 'sts' | 'ec2',
  { query, body }: { readonly query: string; readonly body: Uint8Array },
  caller: QueryCaller,
  { resourceKeys, audited }: QueryFront,
): Promise<Rendered> {
  const asking = { key: caller.key, caller, resourceKeys };
  const parameters = formOf(() => formParameters(query, body));
  const action = parameters.get('Action') ?? '';
  const document = (content: Xml): Rendered => xmlAnswer(200, xmlDocument(`${action}Response`, NAMESPACES.get(service), content));
  if (service === 'ec2') {
    if (action !== EC2_ACTION)
      return fail('InvalidAction', `Thingkeep does not serve ec2, but for ${EC2_ACTION}: it is no endpoint for this service`);
    await mayAsk(asking, service, action, {});
    return document(availabilityZones(caller));
  }
  const operation = findQueryOperation(service, action);
  const domain = services?.[service];
  const run = domain !== undefined && Object.hasOwn(domain.operations, action) ? domain.operations[action] : undefined;
  const version = parameters.get('Version');
  if (
    domain === undefined ||
    operation === undefined ||
    run === undefined ||
    (version !== undefined && version !== queryService(service).apiVersion)
  )
    return unknownAction(parameters);
  const input = inputOf(operation, parameters);
  await audited(action, input, async () => {
    if (caller.key.permissions === undefined) return;
    await mayQuery(asking, service, action, input, await domain.needed(action, input, caller));
  });
  const result = await run(input as never, caller).catch((error: unknown) => declared(operation, error));
  return document(withMetadata(operation, result, caller.requestId));
}

const FRONT_END = new Set([
  'AccessDeniedException',
  'ServiceUnavailableException',
  'UnrecognizedClientException',
  'ValidationError',
]);

/** What an operation does not declare is a defect, and shown as an internal failure. */
function declared({ name, errors }: QueryOperation, error: unknown): never {
  if (error instanceof ThingkeepError && !FRONT_END.has(error.code) && !Object.hasOwn(errors, error.code))
    throw new TypeError(`${name} does not declare ${error.code}`, { cause: error });
  throw error;
}
