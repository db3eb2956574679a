/**
 * Trust policies: the principals that may assume a role (IAM user guide, pages id_roles_terms-and-concepts,
 * reference_policies_elements_principal and reference_policies_evaluation-logic).
 */
import type { PolicyPrincipal } from '@thingkeep/wire/documents/policy.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { CompiledPolicies, CompiledStatement } from '../policies/compile.ts';
import { conditionHolds, timeKeys } from '../policies/condition.ts';
import { contextKeys, lookupIn } from '../policies/context.ts';
import { appliesTo } from '../policies/compile.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { parseTrustPolicy } from './documents.ts';
import { findByArn } from './identities.ts';
import { parseEntityArn, rootArn } from './names.ts';
import type { KeyValues } from '@thingkeep/wire/api/authorization.ts';
import { entities, entityKey, type RoleRecord } from './store.ts';

/** A principal that asks to assume a role. */
export type Asker =
  | { readonly service: string }
  | {
      readonly accountId: string;
      /** ARN of the caller, which is a session's for a role. */
      readonly arn: string;
      /** ARN and id of the user or role behind it; of the account's root, its ARN and the account's id. */
      readonly entityArn: string;
      readonly entityId: string;
    };

/**
 * `direct`: the caller is named itself, and needs no policy of its own within the account. `account`: its account is named,
 * whose policies then have to allow it.
 */
export type Trust = 'direct' | 'account' | 'none' | 'denied';

/** An account's number, with dashes or without (probe pf-iam-trust-policy-aws-principal-format of cdk-preflight). */
const ACCOUNT = /^(?:\d{12}|\d{4}-\d{4}-\d{4})$/;

function names(
  { kind, value }: PolicyPrincipal,
  asker: Asker,
  role: RoleRecord,
  deny: boolean,
): 'direct' | 'account' | undefined {
  if ('service' in asker) return kind === 'Service' && value === asker.service ? 'direct' : undefined;
  if (kind === '*') return 'direct';
  if (kind !== 'AWS') return undefined;
  if (ACCOUNT.test(value) && value.replaceAll('-', '') === asker.accountId) return 'account';
  if (value === rootArn(asker.accountId)) return 'account';
  if (value === asker.arn && value !== asker.entityArn) return 'direct';
  if (value !== asker.entityArn) return undefined;
  // Another user or role of the name, made after the one that was trusted, is not trusted.
  return deny || (Object.hasOwn(role.trusted, value) && role.trusted[value] === asker.entityId) ? 'direct' : undefined;
}

const ASSUME = 'sts:assumerole';

/** Keys of the resource that a service acts for; where they are absent, a Deny that depends on them applies. */
const SOURCE_ARN = 'aws:sourcearn';

function holds(statement: CompiledStatement, asker: Asker, keys: KeyValues, now: number): boolean {
  const lookup = lookupIn(timeKeys(now), contextKeys(keys));
  const untold = (key: string): boolean =>
    statement.deny && 'service' in asker && key === SOURCE_ARN && lookup(SOURCE_ARN) === undefined;
  return (
    appliesTo(statement, ASSUME) &&
    statement.conditions.every((each) => untold(each.key) || conditionHolds(each, lookup, statement.deny))
  );
}

/** The decision of the role's trust policy on an asker, in a request with these keys. A document that can't be read denies. */
export function trustIn(policies: CompiledPolicies, role: RoleRecord, asker: Asker, keys: KeyValues, now: number): Trust {
  if (policies.unreadable.length > 0) return 'denied';
  let trust: Trust = 'none';
  for (const statement of policies.statements) {
    const found = (statement.principals ?? []).map((principal) => names(principal, asker, role, statement.deny));
    if (found.every((each) => each === undefined) || !holds(statement, asker, keys, now)) continue;
    if (statement.deny) return 'denied';
    if (found.includes('direct')) trust = 'direct';
    else if (trust === 'none') trust = 'account';
  }
  return trust;
}

const isNamed = (value: string, asker: Asker): boolean => 'entityArn' in asker && value === asker.entityArn;

/** Why a trust policy does not let an asker assume its role, in a sentence for the record: one that {@link trustIn} refuses. */
export function trustFault(policies: CompiledPolicies, role: RoleRecord, asker: Asker, keys: KeyValues, now: number): string {
  const who = 'service' in asker ? asker.service : asker.entityArn;
  if (policies.unreadable.length > 0) return 'Its trust policy can not be read.';
  const lookup = lookupIn(timeKeys(now), contextKeys(keys));
  let fault = `Its trust policy does not let ${who} assume it.`;
  for (const statement of policies.statements) {
    const { principals = [], label, deny, conditions } = statement;
    const isAbout = principals.some((principal) => names(principal, asker, role, deny) !== undefined);
    if (isAbout && deny && holds(statement, asker, keys, now))
      return `Statement ${label} of its trust policy denies it to ${who}.`;
    if (deny || !appliesTo(statement, ASSUME)) continue;
    const failing = conditions.find((each) => !conditionHolds(each, lookup, false));
    if (isAbout && failing !== undefined)
      fault = `Its trust policy lets ${who} assume it where ${failing.operator} on ${failing.name} holds (statement ${label}), which it does not.`;
    else if (!isAbout && principals.some(({ value }) => isNamed(value, asker)))
      fault = `Its trust policy names an earlier ${who}, which was deleted: set the trust policy anew.`;
  }
  return fault;
}

/** IAM writes the kind in upper case, as it does AWS. */
const invalidPrincipal = ({ kind, value }: PolicyPrincipal): never =>
  fail('MalformedPolicyDocument', `Invalid principal in policy: "${kind.toUpperCase()}":"${value.slice(0, 256)}"`);

const SERVICE = /^[a-z0-9.-]+\.amazonaws\.com$/;
const SESSION = /^arn:aws:sts::(\d{12}):assumed-role\/([\w+=,.@-]{1,64})\/[\w+=,.@-]{2,64}$/;
const ROOT = /^arn:aws:iam::\d{12}:root$/;

const COGNITO = 'cognito-identity.amazonaws.com';

/** Whether an ARN is of a session of a role that is there (probe pf-iam-trust-policy-aws-principal-format of cdk-preflight). */
async function isSession(tx: ReadTransaction, arn: string): Promise<boolean> {
  const [, accountId, name] = SESSION.exec(arn) ?? [];
  if (accountId === undefined || name === undefined) return false;
  return (await tx.get(entities, entityKey(accountId, 'role', name))) !== undefined;
}

/**
 * Checks a trust policy, and gives the ids of the users and roles that it names. Fails with MalformedPolicyDocument for a
 * principal that is none, and for one that is not there.
 */
export async function trustedIds(tx: ReadTransaction, document: string): Promise<Readonly<Record<string, string>>> {
  const ids: Record<string, string> = {};
  for (const { principals = [], conditions } of parseTrustPolicy(document).statements) {
    for (const principal of principals) {
      const { kind, value } = principal;
      if (kind === 'Service' && !SERVICE.test(value)) invalidPrincipal(principal);
      if (kind === 'Federated' && value === COGNITO && conditions.length === 0)
        fail('MalformedPolicyDocument', 'A condition block must be present for the Cognito provider');
      if (kind !== 'AWS' || ACCOUNT.test(value) || ROOT.test(value) || (await isSession(tx, value))) continue;
      const named = parseEntityArn(value) === undefined ? undefined : await findByArn(tx, value);
      ids[value] = named?.id ?? invalidPrincipal(principal);
    }
  }
  return ids;
}
