/** Policy documents of IAM: checked when they are stored, compiled once when they are used. */
import { knowsKeyOfIdentities } from '@thingkeep/wire/documents/condition-keys.ts';
import {
  checkConditionKeys,
  parsePolicyDocument,
  type PolicyDocument,
  type PolicyGrammar,
  VERSIONS,
} from '@thingkeep/wire/documents/policy.ts';
import { fail, ThingkeepError } from '@thingkeep/wire/errors.ts';
import { isObject } from '@thingkeep/wire/is-object.ts';
import { CompiledPolicyCache } from '../policies/effective.ts';
import { checkNewDocument } from './new-documents.ts';
import { policyWords } from './policy-words.ts';
import { QUOTAS } from './quotas.ts';

/** `service:Action`, wildcards allowed (IAM user guide, page reference_policies_elements_action). */
const ACTION = /^(?:\*|[a-z0-9-]+):[\w*?]+$/i;

/** The largest bound of all kinds of documents: the bound of each kind is checked where it is stored. */
export const IDENTITY_POLICY: PolicyGrammar = {
  longest: QUOTAS.inlineOfRole,
  action: ACTION,
  onResource: false,
  knowsKey: knowsKeyOfIdentities,
  versions: VERSIONS,
};
export const TRUST_POLICY: PolicyGrammar = {
  longest: QUOTAS.trustPolicy,
  action: ACTION,
  onResource: true,
  knowsKey: knowsKeyOfIdentities,
  versions: VERSIONS,
};

const MAX_COMPILED = 2_048;

/** A cache of compiled documents of each grammar, shared by all identities. */
export class Documents {
  readonly identity = new CompiledPolicyCache(MAX_COMPILED, IDENTITY_POLICY);
  readonly trust = new CompiledPolicyCache(MAX_COMPILED, TRUST_POLICY);
}

/** Actions that a new trust policy may have, by case (probe pf-iam-trust-policy-action-sts-only of cdk-preflight). */
const TRUST_ACTIONS: ReadonlySet<string> = new Set([
  'sts:AssumeRole',
  'sts:AssumeRoleWithSAML',
  'sts:AssumeRoleWithWebIdentity',
  'sts:SetContext',
  'sts:SetSourceIdentity',
  'sts:TagSession',
]);

function parsed(document: string, grammar: PolicyGrammar): PolicyDocument {
  try {
    const policy = parsePolicyDocument(document, grammar);
    checkConditionKeys(policy, grammar);
    checkNewDocument(policy);
    return policy;
  } catch (error) {
    if (!(error instanceof ThingkeepError)) throw error;
    if (error.code !== 'MalformedPolicyException') throw error;
    // IAM's own words, which say little, and behind them what is wrong.
    const { what = error.message } = error.members;
    return fail('MalformedPolicyDocument', `${policyWords(error.members)} ${what}`);
  }
}

/** Sids are letters and digits, and unique (IAM user guide, page reference_policies_elements_sid). */
function checkSids({ statements }: PolicyDocument): void {
  const seen = new Set<string>();
  for (const { sid } of statements) {
    if (sid === undefined || sid === '') continue;
    if (!/^[A-Za-z0-9]+$/.test(sid))
      fail(
        'MalformedPolicyDocument',
        `Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*: ${sid.slice(0, 64)}`,
      );
    if (seen.has(sid)) fail('MalformedPolicyDocument', 'Statement IDs (SID) in a single policy must be unique.');
    seen.add(sid);
  }
}

/** Checks the policy of an identity; fails with MalformedPolicyDocument. */
export const checkIdentityPolicy = (document: string): void => checkSids(parsed(document, IDENTITY_POLICY));

/**
 * Whether a principal is everybody without a kind: IAM takes `{"AWS": "*"}` alone (probe
 * pf-iam-trust-policy-principal-star-string).
 */
const hasBareStar = (document: string): boolean => {
  const { Statement } = JSON.parse(document) as { readonly Statement: unknown };
  const statements: readonly unknown[] = Array.isArray(Statement) ? Statement : [Statement];
  return statements.some((statement) => isObject(statement) && statement.Principal === '*');
};

/** A new trust policy in its plain form; fails with MalformedPolicyDocument. */
export function parseTrustPolicy(document: string): PolicyDocument {
  const policy = parsed(document, TRUST_POLICY);
  if (hasBareStar(document)) fail('MalformedPolicyDocument', 'AssumeRolepolicy contained an invalid principal: "STAR":"*".');
  checkSids(policy);
  for (const { actions } of policy.statements)
    for (const action of actions)
      if (!TRUST_ACTIONS.has(action))
        fail('MalformedPolicyDocument', 'AssumeRole policy may only specify STS AssumeRole actions.');
  return policy;
}
