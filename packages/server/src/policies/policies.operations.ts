/** CreatePolicy, GetPolicy, ListPolicies, DeletePolicy. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { checkNewPolicy } from '@thingkeep/wire/documents/policy.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import type { PolicyTags } from './principals.ts';
import { createPolicy, getPolicyRecord, policyArn } from './policy-records.ts';
import { policies, policyAttachments } from './store.ts';

/** API reference, member PageSize: at most 250, which is also what a request without it gets. */
export const LARGEST_PAGE = 250;

/** A required member; the request was validated, so it is there. */
export const given = <T>(value: T | undefined, name: string): T =>
  value ?? fail('InvalidRequestException', `The member ${name} is missing`);

type Operations = Pick<IotOperations, 'CreatePolicy' | 'GetPolicy' | 'ListPolicies' | 'DeletePolicy'>;

export const policyOperations = ({
  store,
  clock,
  tags,
}: {
  store: Store;
  clock: Clock;
  tags: PolicyTags;
}): Handlers<Operations> => ({
  async CreatePolicy(input, caller) {
    const policyName = given(input.policyName, 'policyName');
    const document = given(input.policyDocument, 'policyDocument');
    checkNewPolicy(document);
    const arn = policyArn(caller, policyName);
    await store.write(async (tx) => {
      await createPolicy(tx, caller, { policyName, document }, clock.now());
      if (input.tags !== undefined && input.tags.length > 0) await tags.put(tx, caller.accountId, arn, input.tags);
    });
    return { policyName, policyArn: arn, policyDocument: document, policyVersionId: '1' };
  },

  async GetPolicy(input, caller) {
    const policyName = given(input.policyName, 'policyName');
    const policy = await store.read((tx) => getPolicyRecord(tx, caller.accountId, policyName));
    return {
      policyName,
      policyArn: policyArn(caller, policyName),
      policyDocument: policy.versions.find((version) => version.versionId === policy.defaultVersionId)?.document,
      defaultVersionId: policy.defaultVersionId,
      creationDate: new Date(policy.createdAt),
      lastModifiedDate: new Date(policy.lastModifiedAt),
      generationId: String(policy.generation),
    };
  },

  async ListPolicies(input, caller) {
    const page = await store.read((tx) =>
      tx.scan(policies, {
        skipDamaged: true,
        index: 'byCreation',
        prefix: [caller.accountId],
        after: input.marker,
        limit: input.pageSize ?? LARGEST_PAGE,
        // "If true, the results are returned in ascending creation order": else the newest comes first.
        reverse: input.ascendingOrder !== true,
      }),
    );
    return {
      policies: page.items.map(({ policyName }) => ({ policyName, policyArn: policyArn(caller, policyName) })),
      nextMarker: page.next,
    };
  },

  async DeletePolicy(input, caller) {
    const { accountId } = caller;
    const policyName = given(input.policyName, 'policyName');
    await store.write(async (tx) => {
      const policy = await getPolicyRecord(tx, accountId, policyName);
      const attached = await tx.scan(policyAttachments, { index: 'byPolicy', prefix: [accountId, policyName], limit: 1 });
      if (attached.items.length > 0) {
        fail(
          'DeleteConflictException',
          `The policy cannot be deleted as the policy is attached to one or more principals (name=${policyName})`,
        );
      }
      if (policy.versions.length > 1) {
        // AWS's words, as people report them.
        fail('DeleteConflictException', 'The policy cannot be deleted as versions other than than default version exist');
      }
      await tx.delete(policies, [accountId, policyName]);
      await tags.remove(tx, accountId, policyArn(caller, policyName));
    });
    return {};
  },
});
