/**
 * What a key may do that has less than every permission of its account. A key of an IAM identity is authorized by IAM
 * policies, for every operation of every service. A key of a device has the data plane, by its certificate's policies, and
 * nothing beside it.
 */
import { decideForDevice, type NeededPermission, neededPermissions } from '@thingkeep/wire/api/data-permissions.ts';
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import { inputKeys } from '@thingkeep/wire/api/input-keys.ts';
import { callPermissions, operationPermissions, rolesPassed, PREFIXES } from '@thingkeep/wire/api/needed-permissions.ts';
import { type Operation, signingName } from '@thingkeep/wire/api/table.ts';
import { isForeignRole, type Place } from '@thingkeep/wire/arn.ts';
import { type ErrorCode, fail, RefusalNotes } from '@thingkeep/wire/errors.ts';
import type { AccessKey, KeyDecision, KeyPermissions } from './access-keys.ts';
import type { KeyUse } from '@thingkeep/wire/api/authorization.ts';
import type { KeyValues } from '@thingkeep/wire/api/authorization.ts';
import { IOT_SERVICE } from '@thingkeep/wire/service-principals.ts';

/** The service that tells everyone who they are. */
const OPEN_TO_ALL = 'sts';
/** Why a call is refused whose key is not of an identity of IAM. */
const DEVICE_KEY = 'it has the permissions of a device';

/** Condition keys of what a permission is asked for, its tags above all: read where a policy asks for them. */
export type ResourceKeys = (permission: NeededPermission, place: Place, input: object) => Promise<KeyValues>;

/** Who asks, and how tags of resources are found. */
export interface Asking {
  readonly key: AccessKey;
  readonly caller: Caller;
  readonly resourceKeys: ResourceKeys;
}

/** What policies may ask about the request itself. */
export const useOf = ({ sourceIp, region, secureTransport, userAgent, referer }: Caller): KeyUse => ({
  protocol: 'http',
  sourceIp,
  region,
  secureTransport: secureTransport === true,
  userAgent,
  referer,
});

/** How the policies' answer is told (IAM user guide, page troubleshoot_access-denied). */
function because({ effect, policyType = 'identity-based policy' }: KeyDecision, action: string): string {
  const article = policyType.startsWith('i') ? 'an' : 'a';
  return effect === 'EXPLICIT_DENY'
    ? `with an explicit deny in ${article} ${policyType}`
    : `because no ${policyType} allows the ${action} action`;
}

/** Fails as AWS does when a permission is missing. The decision goes along as the cause, for the refusal's record. */
export function denied(
  { arn }: Pick<AccessKey, 'arn'>,
  permission: NeededPermission,
  decision: KeyDecision,
  code?: ErrorCode,
): never {
  const { action, resource } = permission;
  const text = `User: ${arn} is not authorized to perform: ${action} on resource: ${resource} ${because(decision, action)}`;
  return fail(code ?? 'AccessDeniedException', text, {}, new RefusalNotes({ permission, decision }));
}

const NO_PERMISSIONS: KeyPermissions = { volatile: false, decide: () => ({ effect: 'IMPLICIT_DENY' }) };

/** What a role is passed for (Service Authorization Reference, iam:AssociatedResourceArn): what the call itself is about. */
const passedFor = ({ action }: NeededPermission, [own]: readonly NeededPermission[]): KeyValues =>
  action !== 'iam:PassRole' || own === undefined || own.resource === '*' ? [] : [['iam:AssociatedResourceArn', own.resource]];

interface PermissionQuestion {
  readonly needed: readonly NeededPermission[];
  readonly input: object;
  /** Of the input. */
  readonly keys: KeyValues;
  readonly use?: KeyUse;
  readonly code?: ErrorCode;
}

async function mustAllow(
  { key, caller, resourceKeys }: Asking,
  { needed, input, keys, use, code }: PermissionQuestion,
): Promise<void> {
  const permissions = (await key.permissions?.(use ?? useOf(caller))) ?? NO_PERMISSIONS;
  for (const permission of needed) {
    const tags = permissions.asksForResource === true ? await resourceKeys(permission, caller, input) : [];
    const decision = permissions.decide(permission.action, permission.resource, [
      ...keys,
      ...(permission.keys ?? []),
      ...tags,
      ...passedFor(permission, needed),
    ]);
    if (decision.effect !== 'ALLOWED') denied(key, permission, decision, code);
  }
}

/** An operation of a service beside the table: fails with AccessDeniedException. */
export async function mayAsk(asking: Asking, service: string, operation: string, input: object): Promise<void> {
  const { key, caller } = asking;
  if (key.permissions === undefined) return;
  const keys = inputKeys(`${service}:${operation}`, input);
  if (key.holder === 'identity')
    return mustAllow(asking, { needed: operationPermissions(service, operation, input, caller), input, keys });
  fail('AccessDeniedException', `User: ${key.arn} is not authorized to use the service ${service}: ${DEVICE_KEY}`);
}

/**
 * Fails with AccessDeniedException where a call would hand a role of another account to a service, for the account's root too
 * (developer guide, page pass-role; probe pf-iot-topicrule-role-account of cdk-preflight). `inText`: roles that SQL names.
 */
export function checkRoleAccounts(caller: Caller, operation: Operation, input: object, inText: readonly string[]): void {
  if ([...rolesPassed(operation, input), ...inText].some((role) => isForeignRole(role, caller)))
    fail('AccessDeniedException', 'Cross-account pass role is not allowed.');
}

/**
 * `iam:PassRole` on roles that the text of a call names (the SQL of rules), where a look at its members does not find them.
 * Fails with AccessDeniedException.
 */
export async function mayPass(asking: Asking, operation: Operation, input: object, inText: readonly string[]): Promise<void> {
  if (asking.key.permissions === undefined || inText.length === 0) return;
  // The call's own permission first: it says what the roles are passed for.
  const own = callPermissions(operation, input, asking.caller).slice(0, 1);
  const needed = [...own, ...inText.map((resource) => ({ action: 'iam:PassRole', resource }))];
  await mustAllow(asking, { needed, input, keys: [['iam:PassedToService', IOT_SERVICE]] });
}

/** Permissions that a service of the query protocol says that a call needs. */
export async function mayQuery(
  asking: Asking,
  service: string,
  operation: string,
  input: object,
  needed: readonly NeededPermission[],
): Promise<void> {
  const { key } = asking;
  if (key.permissions === undefined) return;
  // API reference of STS, GetSessionToken: IAM can't be called with such credentials, as there is no second factor here.
  if (key.session === 'user' && service === 'iam')
    fail('UnrecognizedClientException', 'The security token included in the request is invalid');
  if (key.holder === 'identity') return mustAllow(asking, { needed, input, keys: inputKeys(`${service}:${operation}`, input) });
  if (service !== OPEN_TO_ALL || operation !== 'GetCallerIdentity')
    fail('AccessDeniedException', `User: ${key.arn} is not authorized to use the service ${service}: ${DEVICE_KEY}`);
}

/** An operation of the table: AccessDeniedException on the control plane, ForbiddenException on the data plane. */
export async function mayCall(asking: Asking, operation: Operation, input: object): Promise<void> {
  const { key, caller } = asking;
  if (key.permissions === undefined) return;
  const isData = operation.service === 'iot-data' || operation.service === 'iot-jobs-data';
  if (key.holder === 'identity')
    return mustAllow(asking, {
      needed: callPermissions(operation, input, caller),
      input,
      keys: inputKeys(`${PREFIXES[operation.service]}:${operation.name}`, input),
      code: isData ? 'ForbiddenException' : 'AccessDeniedException',
      use: isData ? { ...useOf(caller), domainName: caller.hostName } : undefined,
    });
  const needed = neededPermissions(operation, input, caller);
  if (needed === undefined)
    return fail(
      'AccessDeniedException',
      `User: ${key.arn} is not authorized to perform: ${signingName(operation.service)}:${operation.name}: ${DEVICE_KEY}`,
    );
  const permissions = (await key.permissions({ ...useOf(caller), domainName: caller.hostName })) ?? NO_PERMISSIONS;
  for (const permission of needed) {
    const decision = decideForDevice(permissions, permission, inputKeys(permission.action, input));
    if (decision.effect !== 'ALLOWED') forbidden(key, permission, decision);
  }
}

const forbidden = ({ arn }: AccessKey, permission: NeededPermission, decision: KeyDecision): never => {
  const { action, resource } = permission;
  const text = `User: ${arn} is not authorized to perform: ${action} on resource: ${resource}`;
  return fail('ForbiddenException', text, {}, new RefusalNotes({ permission, decision }));
};
