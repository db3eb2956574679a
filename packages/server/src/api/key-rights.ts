/**
 * What a key may do that has less than every right of its account. A key of an IAM identity is judged by IAM policies, for every
 * operation of every service. A key of a device has the data plane, by its certificate's policies, and nothing beside it.
 */
import { type NeededRight, neededRights } from '@thingkeep/wire/api/data-rights.ts';
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import { callRights, operationRights } from '@thingkeep/wire/api/needed-rights.ts';
import { type Operation, signingName } from '@thingkeep/wire/api/table.ts';
import { type ErrorCode, fail } from '@thingkeep/wire/errors.ts';
import type { AccessKey, KeyDecision, KeyRights, KeyUse, KeyValues } from './access-keys.ts';

/** The service that tells everyone who they are. */
const OPEN_TO_ALL = 'sts';

const useOf = ({ sourceIp, region }: Caller): KeyUse => ({ protocol: 'http', sourceIp, region });

/** How the policies' answer is told (IAM user guide, page troubleshoot_access-denied). */
function because({ effect, policyType = 'identity-based policy' }: KeyDecision, action: string): string {
  const article = policyType.startsWith('i') ? 'an' : 'a';
  return effect === 'EXPLICIT_DENY'
    ? `with an explicit deny in ${article} ${policyType}`
    : `because no ${policyType} allows the ${action} action`;
}

/** Fails as AWS does when a right is missing. What decided goes along, for the refusal's record. */
export function denied(
  { arn }: Pick<AccessKey, 'arn'>,
  { action, resource }: NeededRight,
  decision: KeyDecision,
  code?: ErrorCode,
): never {
  const { effect, policyName, statement } = decision;
  const text = `User: ${arn} is not authorized to perform: ${action} on resource: ${resource} ${because(decision, action)}`;
  return fail(code ?? 'AccessDeniedException', text, { action, resource, decision: effect, policyName, statement });
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;

/**
 * Tags in an input, as conditions ask about them: API members `tags` and `Tags`. What is no tag says nothing here; whoever
 * keeps tags refuses it.
 */
function tagKeys(input: object): KeyValues {
  const { tags, Tags } = input as { readonly tags?: unknown; readonly Tags?: unknown };
  const given = tags ?? Tags;
  if (!isRecord(given)) return [];
  const pairs: readonly (readonly [unknown, unknown])[] = Array.isArray(given)
    ? given.filter(isRecord).map(({ Key, Value = '' }) => [Key, Value])
    : Object.entries(given);
  const known = pairs.filter((pair): pair is [string, string] => pair.every((each) => typeof each === 'string'));
  if (known.length === 0) return [];
  return [['aws:TagKeys', known.map(([key]) => key)], ...known.map(([key, value]) => [`aws:RequestTag/${key}`, value] as const)];
}

const NOBODY: KeyRights = { volatile: false, decide: () => ({ effect: 'IMPLICIT_DENY' }) };

async function mustAllow(
  key: AccessKey,
  needed: readonly NeededRight[],
  keys: KeyValues,
  caller: Caller,
  code?: ErrorCode,
): Promise<void> {
  const rights = (await key.rights?.(useOf(caller))) ?? NOBODY;
  for (const right of needed) {
    const decision = rights.decide(right.action, right.resource, [...keys, ...(right.keys ?? [])]);
    if (decision.effect !== 'ALLOWED') denied(key, right, decision, code);
  }
}

/** An operation of a service beside the table: fails with AccessDeniedException. */
export async function mayAsk(key: AccessKey, service: string, operation: string, input: object, caller: Caller): Promise<void> {
  if (key.rights === undefined) return;
  if (key.holder === 'identity')
    return mustAllow(key, operationRights(service, operation, input, caller), tagKeys(input), caller);
  fail(
    'AccessDeniedException',
    `User: ${key.arn} is not authorized to use the service ${service}: it has the rights of a device`,
  );
}

/** Rights that a service of the query protocol says that a call needs. */
export async function mayQuery(
  key: AccessKey,
  service: string,
  operation: string,
  input: object,
  needed: readonly NeededRight[],
  caller: Caller,
): Promise<void> {
  if (key.rights === undefined) return;
  // API reference of STS, GetSessionToken: IAM can't be called with such credentials, as there is no second factor here.
  if (key.session === 'user' && service === 'iam')
    fail('UnrecognizedClientException', 'The security token included in the request is invalid');
  if (key.holder === 'identity') return mustAllow(key, needed, tagKeys(input), caller);
  if (service !== OPEN_TO_ALL || operation !== 'GetCallerIdentity')
    fail(
      'AccessDeniedException',
      `User: ${key.arn} is not authorized to use the service ${service}: it has the rights of a device`,
    );
}

/** An operation of the table: AccessDeniedException on the control plane, ForbiddenException on the data plane. */
export async function mayCall(key: AccessKey, operation: Operation, input: object, caller: Caller): Promise<void> {
  if (key.rights === undefined) return;
  const code = operation.service === 'iot-data' ? 'ForbiddenException' : 'AccessDeniedException';
  if (key.holder === 'identity') return mustAllow(key, callRights(operation, input, caller), tagKeys(input), caller, code);
  const needed = neededRights(operation, input, caller);
  if (needed === undefined)
    return fail(
      'AccessDeniedException',
      `User: ${key.arn} is not authorized to perform: ${signingName(operation.service)}:${operation.name}: it has the rights of a device`,
    );
  const rights = (await key.rights({ protocol: 'http', sourceIp: caller.sourceIp })) ?? NOBODY;
  for (const right of needed) if (rights.decide(right.action, right.resource).effect !== 'ALLOWED') forbidden(key, right);
}

const forbidden = ({ arn }: AccessKey, { action, resource }: NeededRight): never =>
  fail('ForbiddenException', `User: ${arn} is not authorized to perform: ${action} on resource: ${resource}`);
