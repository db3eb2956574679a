/** Which policies govern a principal, and their compiled form. */
import { IOT_POLICY, type PolicyGrammar } from '@thingkeep/wire/documents/policy.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { type CompiledPolicies, type CompiledPolicy, compilePolicy, joinPolicies, type NamedDocument } from './compile.ts';
import { type PolicyRecord, policies, policyAttachments } from './store.ts';

/** Names of the policies on targets, target by target, in the order of their attachment. */
export async function attachedPolicyNames(tx: ReadTransaction, accountId: string, targets: readonly string[]): Promise<string[]> {
  const pages = await Promise.all(
    targets.map((target) => tx.scan(policyAttachments, { index: 'byTarget', prefix: [accountId, target] })),
  );
  return pages.flatMap(({ items }) => items.map(({ policyName }) => policyName));
}

/** The document in force: an attachment whose policy or version is gone is unreadable, and so denies. */
const inForce = (policyName: string, policy: PolicyRecord | undefined): NamedDocument => ({
  policyName,
  document: policy?.versions.find((version) => version.versionId === policy.defaultVersionId)?.document ?? '',
});

export async function policiesByName(tx: ReadTransaction, accountId: string, names: Iterable<string>): Promise<NamedDocument[]> {
  const distinct = [...new Set(names)];
  const records = await tx.getMany(
    policies,
    distinct.map((name) => [accountId, name]),
  );
  return distinct.map((name, i) => inForce(name, records[i]));
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
  return policiesByName(tx, accountId, await attachedPolicyNames(tx, accountId, [principalArn, ...groupArns]));
}

const MAX_COMPILED = 4096;

interface Numbered {
  readonly policy: CompiledPolicy;
  /** Never given twice. */
  readonly number: number;
}

/**
 * Compiled policies, the least recently used dropped first. The key is name and text: a policy that is deleted and made
 * anew starts at version 1 again, with other text.
 */
export class CompiledPolicyCache {
  readonly #compiled = new Map<string, Numbered>();
  /** Joined policies by the numbers of their parts: principals with the same policies share one. */
  readonly #joined = new Map<string, CompiledPolicies>();
  #last = 0;
  readonly #most: number;
  readonly #grammar: PolicyGrammar;

  constructor(most: number = MAX_COMPILED, grammar: PolicyGrammar = IOT_POLICY) {
    this.#most = Math.max(1, most);
    this.#grammar = grammar;
  }

  get size(): number {
    return this.#compiled.size;
  }

  compile(documents: readonly NamedDocument[]): CompiledPolicies {
    const all = documents.map((document) => this.#one(document));
    const key = all.map(({ number }) => number).join();
    return renew(this.#joined, key, this.#most, () => joinPolicies(all.map(({ policy }) => policy)));
  }

  #one(named: NamedDocument): Numbered {
    return renew(this.#compiled, `${named.policyName}\n${named.document}`, this.#most, () => {
      this.#last += 1;
      return { policy: compilePolicy(named, this.#grammar), number: this.#last };
    });
  }
}

/** The entry of the key, made where there is none; it is the newest now, and the oldest goes when there are too many. */
function renew<T>(entries: Map<string, T>, key: string, most: number, make: () => T): T {
  const entry = entries.get(key) ?? make();
  entries.delete(key);
  entries.set(key, entry);
  if (entries.size > most) {
    const [oldest] = entries.keys();
    if (oldest !== undefined) entries.delete(oldest);
  }
  return entry;
}
