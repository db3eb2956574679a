/** What IAM says of faults in policy documents, as the probes pf-iam-policy-... of cdk-preflight have measured it. */
import type { PolicyFault } from '@thingkeep/wire/documents/policy-json.ts';

export const POLICY_WORDS: Readonly<Record<PolicyFault, string>> = {
  syntax: 'Syntax errors in policy.',
  'misplaced-principal': 'Policy document should not specify a principal.',
  'misplaced-resource': 'Has prohibited field Resource',
  'misplaced-not-resource': 'Has prohibited field NotResource',
  'no-actions': 'Policy statement must contain actions.',
  'no-resources': 'Policy statement must contain resources.',
  'action-without-vendor': 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
  'action-with-colons': 'Actions/Condition can contain only one colon.',
  'action-vendor-wildcard': 'Action vendors (e.g., aws, ec2, etc.) must not contain wildcards.',
  'no-arn': 'Resource SUBJECT must be in ARN format or "*".',
  unreadable: 'The policy failed legacy parsing',
};

const isFault = (kind: unknown): kind is PolicyFault => typeof kind === 'string' && Object.hasOwn(POLICY_WORDS, kind);

/** The words for the members of a MalformedPolicyException. */
export const policyWords = ({ kind, subject = '' }: Readonly<Record<string, unknown>>): string =>
  isFault(kind) ? POLICY_WORDS[kind].replace('SUBJECT', () => String(subject)) : POLICY_WORDS.syntax;
