/** Which policies govern a principal, and their compiled form. */
import { IOT_POLICY, type PolicyGrammar } from '@thingkeep/wire/documents/policy.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { type CompiledPolicies, type CompiledPolicy, compilePolicy, joinPolicies, type NamedDocument } from './compile.ts';
import { type PolicyRecord, policies, policyAttachments } from './store.ts';

/** Names of the policies on one target, in the order of their attachment. */
export async function attachedPolicyNames(tx: ReadTransaction, accountId: string, target: string): Promise<string[]> {
  const { items } = await tx.scan(policyAttachments, { index: 'byTarget', prefix: [accountId, target] });
  return items.map((attachment) => attachment.policyName);
}

/** The document in force: an attachment whose policy or version is gone is unreadable, and so denies. */
const inForce = (policyName: string, policy: PolicyRecord | undefined): NamedDocument => ({
  policyName,
  document: policy?.versions.find((version) => version.versionId === policy.defaultVersionId)?.document ?? '',
});

export async function policiesByName(tx: ReadTransaction, accountId: string, names: Iterable<string>): Promise<NamedDocument[]> {
  const documents: NamedDocument[] = [];
  for (const name of new Set(names)) documents.push(inForce(name, await tx.get(policies, [accountId, name])));
  return documents;
}

/**
 * The default versions of the policies on a principal and on the static groups of its thing, direct ones and ancestors.
 * Developer guide, page thing-groups; no policy at all is a valid answer, and grants nothing.
 */
export async function effectivePolicies(
  tx: ReadTransaction,
  accountId: string,
  principalArn: string,
  groupArns: readonly string[],
): Promise<NamedDocument[]> {
  const names: string[] = [];
  for (const target of [principalArn, ...groupArns]) names.push(...(await attachedPolicyNames(tx, accountId, target)));
  return policiesByName(tx, accountId, names);
}

const MOST_COMPILED = 4096;

/**
 * Compiled policies, the least recently used dropped first. The key is name and text: a policy that is deleted and made
 * anew starts at version 1 again, with other text.
 */
export class CompiledPolicyCache {
  readonly #compiled = new Map<string, CompiledPolicy>();
  readonly #most: number;
  readonly #grammar: PolicyGrammar;

  constructor(most: number = MOST_COMPILED, grammar: PolicyGrammar = IOT_POLICY) {
    this.#most = Math.max(1, most);
    this.#grammar = grammar;
  }

  get size(): number {
    return this.#compiled.size;
  }

  compile(documents: readonly NamedDocument[]): CompiledPolicies {
    return joinPolicies(documents.map((document) => this.#one(document)));
  }

  #one(named: NamedDocument): CompiledPolicy {
    const key = `${named.policyName}\n${named.document}`;
    const compiled = this.#compiled.get(key) ?? compilePolicy(named, this.#grammar);
    this.#compiled.delete(key);
    this.#compiled.set(key, compiled);
    if (this.#compiled.size > this.#most) {
      const [oldest] = this.#compiled.keys();
      if (oldest !== undefined) this.#compiled.delete(oldest);
    }
    return compiled;
  }
}
