/**
 * What IAM refuses in a policy that is stored now and the grammar lets through, in IAM's words (probes pf-iam-policy-... of
 * cdk-preflight). A document that is stored already is not asked again.
 */
import type { PolicyDocument, PolicyStatement } from '@thingkeep/wire/documents/policy.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { isComparable } from '../policies/condition.ts';
import { POLICY_WORDS } from './policy-words.ts';

const refuse = (message: string): never => fail('MalformedPolicyDocument', message);
const shown = (text: string): string => text.slice(0, 128);

function checkAction(action: string): void {
  const [vendor = ''] = action.split(':');
  if (action !== '*' && /[*?]/.test(vendor)) refuse(POLICY_WORDS['action-vendor-wildcard']);
}

/** Services without regions in their ARNs; of S3 buckets alone, since access points have one. */
const GLOBAL: ReadonlySet<string> = new Set(['iam', 'route53', 's3']);
/** What else than a bucket an ARN of S3 may name. */
const NO_BUCKET = /^(?:accesspoint|access-grants|async-request|job|storage-lens|storage-lens-group)[/:]/;
const HAS_WILDCARD = /[*?$]/;

function checkResource(resource: string): void {
  if (resource === '*') return;
  const [, partition = '', service = '', region = '', account = '', ...rest] = resource.split(':');
  if (partition !== 'aws' && !HAS_WILDCARD.test(partition))
    refuse(`Partition "${shown(partition)}" is not valid for resource "${shown(resource)}".`);
  if (rest.length === 0) return;
  if (/[*?]/.test(service)) refuse('Resource vendor must be fully qualified and cannot contain regexes.');
  if (!GLOBAL.has(service) || (service === 's3' && NO_BUCKET.test(rest.join(':')))) return;
  if (region !== '' && !HAS_WILDCARD.test(region)) refuse(`Resource ${shown(resource)} can not contain region information.`);
  if (service === 's3' && account !== '' && !HAS_WILDCARD.test(account))
    refuse(`Resource ${shown(resource)} cannot contain an account id.`);
}

function checkConditions({ conditions }: PolicyStatement, variables: boolean): void {
  for (const condition of conditions)
    for (const value of condition.values)
      if (!isComparable(condition, value, variables))
        refuse(
          `${POLICY_WORDS[condition.family === 'BinaryEquals' ? 'syntax' : 'unreadable']}: ${condition.key.slice(0, 64)} is compared with ${shown(value)}`,
        );
}

/** Fails with MalformedPolicyDocument. */
export function checkNewDocument({ version, statements }: PolicyDocument): void {
  for (const statement of statements) {
    for (const action of statement.actions) checkAction(action);
    for (const resource of statement.resources) checkResource(resource);
    checkConditions(statement, version === '2012-10-17');
  }
}
