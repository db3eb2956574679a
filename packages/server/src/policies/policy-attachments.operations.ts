/** Attaching and detaching: AttachPolicy, DetachPolicy and their older twins for principals alone. */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import { getPolicyRecord, given } from './policies.operations.ts';
import { mustExist, type PolicyTargets, principalKind, targetKind } from './principals.ts';
import { policyAttachments } from './store.ts';

/** General Reference, AWS IoT Core quotas: policies on a certificate or Cognito identity, and on a thing group. */
const MAX_ON_A_PRINCIPAL = 10;
const MAX_ON_A_GROUP = 2;

type Operations = Pick<IotOperations, 'AttachPolicy' | 'DetachPolicy' | 'AttachPrincipalPolicy' | 'DetachPrincipalPolicy'>;

interface PolicyAttachmentDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly targets: PolicyTargets;
}

export const policyAttachmentOperations = ({ store, clock, targets }: PolicyAttachmentDeps): Handlers<Operations> => {
  const attach = async (caller: Caller, policyName: string, target: string): Promise<object> => {
    const { accountId } = caller;
    const most = targetKind(target, caller) === 'group' ? MAX_ON_A_GROUP : MAX_ON_A_PRINCIPAL;
    await store.write(async (tx) => {
      await getPolicyRecord(tx, accountId, policyName);
      await mustExist(targets, tx, caller, target);
      if ((await tx.get(policyAttachments, [accountId, policyName, target])) !== undefined) return;
      const present = await tx.scan(policyAttachments, { index: 'byTarget', prefix: [accountId, target], limit: most });
      if (present.items.length >= most) {
        fail('LimitExceededException', `The target ${target} already has the maximum number of policies (${most})`);
      }
      await tx.put(policyAttachments, { accountId, policyName, target, attachedAt: clock.now() });
    });
    return {};
  };

  /** Detaches; a policy that is not attached is no error: the model of DetachPolicy declares no ResourceNotFoundException. */
  const detach = async (caller: Caller, policyName: string, target: string): Promise<object> => {
    const { accountId } = caller;
    await store.write((tx) => tx.delete(policyAttachments, [accountId, policyName, target]));
    return {};
  };

  return {
    async AttachPolicy(input, caller) {
      return attach(caller, given(input.policyName, 'policyName'), given(input.target, 'target'));
    },

    async DetachPolicy(input, caller) {
      const target = given(input.target, 'target');
      targetKind(target, caller);
      return detach(caller, given(input.policyName, 'policyName'), target);
    },

    async AttachPrincipalPolicy(input, caller) {
      const principal = given(input.principal, 'principal');
      principalKind(principal, caller);
      return attach(caller, given(input.policyName, 'policyName'), principal);
    },

    async DetachPrincipalPolicy(input, caller) {
      const policyName = given(input.policyName, 'policyName');
      const principal = given(input.principal, 'principal');
      principalKind(principal, caller);
      await store.read(async (tx) => {
        await getPolicyRecord(tx, caller.accountId, policyName);
        await mustExist(targets, tx, caller, principal);
      });
      return detach(caller, policyName, principal);
    },
  };
};
