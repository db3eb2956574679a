/** Attaching and detaching: AttachPolicy, DetachPolicy and their older twins for principals alone. */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import { given } from './policies.operations.ts';
import { attachPolicy, getPolicyRecord } from './policy-records.ts';
import { mustExist, type PolicyTargets, principalKind, targetKind } from './principals.ts';
import { policyAttachments } from './store.ts';

type Operations = Pick<IotOperations, 'AttachPolicy' | 'DetachPolicy' | 'AttachPrincipalPolicy' | 'DetachPrincipalPolicy'>;

interface PolicyAttachmentDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly targets: PolicyTargets;
}

export const policyAttachmentOperations = ({ store, clock, targets }: PolicyAttachmentDeps): Handlers<Operations> => {
  const attach = async (caller: Caller, policyName: string, target: string): Promise<object> => {
    await store.write((tx) => attachPolicy(tx, caller, { policyName, target }, { targets, now: clock.now() }));
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
