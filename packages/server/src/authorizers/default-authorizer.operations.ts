/** SetDefaultAuthorizer, DescribeDefaultAuthorizer, ClearDefaultAuthorizer. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Store } from '../store/contract.ts';
import { describeAuthorizer, getAuthorizer, authorizerSummary } from './records.ts';
import { authorizerArn, defaultAuthorizers, findDefaultAuthorizer } from './store.ts';

type Operations = Handlers<Pick<IotOperations, 'SetDefaultAuthorizer' | 'DescribeDefaultAuthorizer' | 'ClearDefaultAuthorizer'>>;

const none = (): never => fail('ResourceNotFoundException', 'There is no default authorizer');

export function defaultAuthorizerOperations({ store }: { store: Store }): Operations {
  return {
    async SetDefaultAuthorizer({ authorizerName = '' }, caller) {
      const { accountId } = caller;
      await store.write(async (tx) => {
        await getAuthorizer(tx, accountId, authorizerName);
        const chosen = await tx.get(defaultAuthorizers, [accountId]);
        // The operation declares ResourceAlreadyExistsException; only another default can exist already.
        if (chosen !== undefined && chosen.authorizerName !== authorizerName)
          fail('ResourceAlreadyExistsException', `The default authorizer is ${chosen.authorizerName}; clear it first`, {
            resourceId: chosen.authorizerName,
            resourceArn: authorizerArn(caller, chosen.authorizerName),
          });
        await tx.put(defaultAuthorizers, { accountId, authorizerName });
      });
      return authorizerSummary(caller, { authorizerName });
    },

    async DescribeDefaultAuthorizer(_input, caller) {
      const record = await store.read((tx) => findDefaultAuthorizer(tx, caller.accountId));
      return { authorizerDescription: describeAuthorizer(caller, record ?? none()) };
    },

    async ClearDefaultAuthorizer(_input, caller) {
      await store.write(async (tx) => {
        if (!(await tx.delete(defaultAuthorizers, [caller.accountId]))) none();
      });
      return {};
    },
  };
}
