/** Listings both ways: ListAttachedPolicies, ListTargetsForPolicy, ListPrincipalPolicies, ListPolicyPrincipals. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Store } from '../store/contract.ts';
import { attachedPolicyNames } from './effective.ts';
import { given, LARGEST_PAGE } from './policies.operations.ts';
import { getPolicyRecord, policyArn } from './policy-records.ts';
import { mustExist, type PolicyTargets, principalKind, targetKind } from './principals.ts';
import { policyAttachments } from './store.ts';

type Operations = Pick<
  IotOperations,
  'ListAttachedPolicies' | 'ListTargetsForPolicy' | 'ListPrincipalPolicies' | 'ListPolicyPrincipals'
>;

/** The page of a short, sorted list behind a marker, which is the last name of the page before. */
function pageOfNames(names: readonly string[], marker: string | undefined, pageSize: number) {
  const after = marker === undefined ? undefined : Buffer.from(marker, 'base64').toString();
  if (after !== undefined && Buffer.from(after).toString('base64') !== marker) {
    fail('InvalidRequestException', 'The marker is not one of this listing');
  }
  const rest = after === undefined ? names : names.filter((name) => name > after);
  const page = rest.slice(0, pageSize);
  const last = page.at(-1);
  return {
    page,
    nextMarker: last === undefined || page.length === rest.length ? undefined : Buffer.from(last).toString('base64'),
  };
}

export const policyListingOperations = ({ store, targets }: { store: Store; targets: PolicyTargets }): Handlers<Operations> => {
  const summary = (place: Place) => (policyName: string) => ({ policyName, policyArn: policyArn(place, policyName) });

  return {
    async ListAttachedPolicies(input, caller) {
      const { accountId } = caller;
      const target = given(input.target, 'target');
      const names = await store.read(async (tx) => {
        await mustExist(targets, tx, caller, target);
        const inherited =
          input.recursive === true && targetKind(target, caller) !== 'cognito'
            ? await targets.inheritsFrom(tx, accountId, target)
            : [];
        return [...new Set(await attachedPolicyNames(tx, accountId, [target, ...inherited]))].sort();
      });
      const { page, nextMarker } = pageOfNames(names, input.marker, input.pageSize ?? LARGEST_PAGE);
      return { policies: page.map(summary(caller)), nextMarker };
    },

    async ListTargetsForPolicy(input, caller) {
      const { accountId } = caller;
      const policyName = given(input.policyName, 'policyName');
      const page = await store.read(async (tx) => {
        await getPolicyRecord(tx, accountId, policyName);
        return tx.scan(policyAttachments, {
          skipDamaged: true,
          index: 'byPolicy',
          prefix: [accountId, policyName],
          after: input.marker,
          limit: input.pageSize ?? LARGEST_PAGE,
        });
      });
      return { targets: page.items.map((attachment) => attachment.target), nextMarker: page.next };
    },

    async ListPrincipalPolicies(input, caller) {
      const { accountId } = caller;
      const principal = given(input.principal, 'principal');
      principalKind(principal, caller);
      const page = await store.read(async (tx) => {
        await mustExist(targets, tx, caller, principal);
        return tx.scan(policyAttachments, {
          skipDamaged: true,
          index: 'byTarget',
          prefix: [accountId, principal],
          after: input.marker,
          limit: input.pageSize ?? LARGEST_PAGE,
          reverse: input.ascendingOrder !== true,
        });
      });
      return { policies: page.items.map((attachment) => summary(caller)(attachment.policyName)), nextMarker: page.next };
    },

    async ListPolicyPrincipals(input, caller) {
      const { accountId } = caller;
      const policyName = given(input.policyName, 'policyName');
      const page = await store.read(async (tx) => {
        await getPolicyRecord(tx, accountId, policyName);
        return tx.scan(policyAttachments, {
          skipDamaged: true,
          index: 'byPolicy',
          prefix: [accountId, policyName],
          after: input.marker,
          limit: input.pageSize ?? LARGEST_PAGE,
          reverse: input.ascendingOrder !== true,
        });
      });
      // "Lists the principals": groups are targets, but no principals. A page may so come out short.
      const principals = page.items.map(({ target }) => target).filter((target) => targetKind(target, caller) !== 'group');
      return { principals, nextMarker: page.next };
    },
  };
};
