/** Policy documents of IAM: checked when they are stored, compiled once when they are used. */
import { knowsKeyOfIdentities } from '@thingkeep/wire/documents/condition-keys.ts';
import {
  checkConditionKeys,
  parsePolicyDocument,
  type PolicyDocument,
  type PolicyGrammar,
} from '@thingkeep/wire/documents/policy.ts';
import { fail, ThingkeepError } from '@thingkeep/wire/errors.ts';
import { CompiledPolicyCache } from '../policies/effective.ts';
import { QUOTAS } from './quotas.ts';

/** `service:Action`, wildcards allowed (IAM user guide, page reference_policies_elements_action). */
const ACTION = /^(?:\*|[a-z0-9-]+):[\w*?]+$/i;

/** The largest bound of all kinds of documents: the bound of each kind is checked where it is stored. */
export const IDENTITY_POLICY: PolicyGrammar = {
  longest: QUOTAS.inlineOfRole,
  action: ACTION,
  onResource: false,
  knowsKey: knowsKeyOfIdentities,
};
export const TRUST_POLICY: PolicyGrammar = {
  longest: QUOTAS.trustPolicy,
  action: ACTION,
  onResource: true,
  knowsKey: knowsKeyOfIdentities,
};

const MAX_COMPILED = 2_048;

/** A cache of compiled documents of each grammar, shared by all identities. */
export class Documents {
  readonly identity = new CompiledPolicyCache(MAX_COMPILED, IDENTITY_POLICY);
  readonly trust = new CompiledPolicyCache(MAX_COMPILED, TRUST_POLICY);
}

/** Actions that a trust policy may have: those of STS. */
const TRUST_ACTION = /^(?:\*|sts:[\w*?]+)$/i;

function parsed(document: string, grammar: PolicyGrammar): PolicyDocument {
  try {
    const policy = parsePolicyDocument(document, grammar);
    checkConditionKeys(policy, grammar);
    return policy;
  } catch (error) {
    if (error instanceof ThingkeepError) return fail('MalformedPolicyDocument', error.message);
    throw error;
  }
}

/** Sids are letters and digits, and unique (IAM user guide, page reference_policies_elements_sid). */
function checkSids({ statements }: PolicyDocument): void {
  const seen = new Set<string>();
  for (const { sid } of statements) {
    if (sid === undefined || sid === '') continue;
    if (!/^[A-Za-z0-9]+$/.test(sid))
      fail('MalformedPolicyDocument', `Statement IDs (SID) must be alpha-numeric: ${sid.slice(0, 64)}`);
    if (seen.has(sid)) fail('MalformedPolicyDocument', 'Statement IDs (SID) in a single policy must be unique.');
    seen.add(sid);
  }
}

/** Checks the policy of an identity; fails with MalformedPolicyDocument. */
export const checkIdentityPolicy = (document: string): void => checkSids(parsed(document, IDENTITY_POLICY));

/** The trust policy in its plain form; fails with MalformedPolicyDocument. */
export function parseTrustPolicy(document: string): PolicyDocument {
  const policy = parsed(document, TRUST_POLICY);
  checkSids(policy);
  for (const { actions } of policy.statements)
    for (const action of actions)
      if (!TRUST_ACTION.test(action))
        fail('MalformedPolicyDocument', 'AssumeRole policy may only specify STS AssumeRole actions.');
  return policy;
}
