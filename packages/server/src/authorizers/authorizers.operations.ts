/** CreateAuthorizer, DescribeAuthorizer, ListAuthorizers, UpdateAuthorizer, DeleteAuthorizer. */
import { defined } from '@thingkeep/wire/defined.ts';
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import { type ClaimRecord, claim, release } from '../store/claims.ts';
import { isRoot } from '../outgoing/author.ts';
import type { ReadTransaction, Store, WriteTransaction } from '../store/contract.ts';
import {
  checkAuthorizer,
  checkFunctionRegion,
  checkLimits,
  describeAuthorizer,
  getAuthorizer,
  authorizerSummary,
} from './records.ts';
import { type AuthorizerRecord, authorizerArn, authorizers, defaultAuthorizers, findAuthorizer } from './store.ts';

/** The tags of authorizers, stored by another domain under their ARN. */
export interface AuthorizerTags {
  put(
    tx: WriteTransaction,
    accountId: string,
    arn: string,
    tags: readonly { readonly Key: string | undefined; readonly Value?: string | undefined }[],
  ): Promise<void>;
  remove(tx: WriteTransaction, accountId: string, arn: string): Promise<void>;
}

export interface AuthorizerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly tags: AuthorizerTags;
  /** Whether a function can be called by this name. */
  readonly isFunctionName: (name: string) => boolean;
  /** ARN of a domain configuration whose default authorizer this is. */
  readonly domainNaming: (tx: ReadTransaction, place: Place, authorizerName: string) => Promise<string | undefined>;
}

/** API reference, member PageSize: at most 250, which is also what a request without it gets. */
const LARGEST_PAGE = 250;

type Operations = Handlers<
  Pick<IotOperations, 'CreateAuthorizer' | 'DescribeAuthorizer' | 'ListAuthorizers' | 'UpdateAuthorizer' | 'DeleteAuthorizer'>
>;

/** The claim of an authorizer on its name: devices that name no host reach the first authorizer of the name, ACTIVE or not. */
const claimOf = ({ accountId, region }: Place, { authorizerName, status, lastModifiedAt }: AuthorizerRecord): ClaimRecord => ({
  kind: 'authorizer',
  name: authorizerName,
  accountId,
  region,
  since: lastModifiedAt,
  active: status === 'ACTIVE',
});

export function authorizerOperations({ store, clock, tags, isFunctionName, domainNaming }: AuthorizerOptions): Operations {
  return {
    async CreateAuthorizer(input, caller) {
      const { accountId } = caller;
      const { authorizerName = '', authorizerFunctionArn = '', tokenKeyName } = input;
      const now = clock.now();
      const record: AuthorizerRecord = {
        accountId,
        authorizerName,
        functionArn: authorizerFunctionArn,
        byRoot: isRoot(caller),
        status: input.status ?? 'ACTIVE',
        tokenKeyName,
        tokenSigningPublicKeys: { ...input.tokenSigningPublicKeys },
        signingDisabled: input.signingDisabled ?? false,
        enableCachingForHttp: input.enableCachingForHttp ?? false,
        createdAt: now,
        lastModifiedAt: now,
      };
      checkAuthorizer(record, isFunctionName);
      checkFunctionRegion(authorizerFunctionArn, authorizerName, caller);
      const arn = authorizerArn(caller, authorizerName);
      await store.write(async (tx) => {
        if ((await findAuthorizer(tx, accountId, authorizerName)) !== undefined)
          fail('ResourceAlreadyExistsException', `The authorizer ${authorizerName} exists already`, {
            resourceId: authorizerName,
            resourceArn: arn,
          });
        await checkLimits(tx, record);
        await tx.put(authorizers, record);
        await claim(tx, claimOf(caller, record));
        if (input.tags !== undefined) await tags.put(tx, accountId, arn, input.tags);
      });
      return { authorizerName, authorizerArn: arn };
    },

    async DescribeAuthorizer({ authorizerName = '' }, caller) {
      const record = await store.read((tx) => getAuthorizer(tx, caller.accountId, authorizerName));
      return { authorizerDescription: describeAuthorizer(caller, record) };
    },

    async ListAuthorizers({ pageSize = LARGEST_PAGE, marker, ascendingOrder = false, status }, caller) {
      const { accountId } = caller;
      const page = await store.read((tx) =>
        tx.scan(authorizers, {
          skipDamaged: true,
          ...(status === undefined
            ? { index: 'byCreation', prefix: [accountId] }
            : { index: 'byStatus', prefix: [accountId, status] }),
          after: marker,
          limit: pageSize,
          reverse: !ascendingOrder,
        }),
      );
      return { authorizers: page.items.map((record) => authorizerSummary(caller, record)), nextMarker: page.next };
    },

    async UpdateAuthorizer(input, caller) {
      const { accountId } = caller;
      const { authorizerName = '', authorizerFunctionArn, tokenKeyName, tokenSigningPublicKeys, status } = input;
      // One that is stored already stays as it is.
      if (authorizerFunctionArn !== undefined) checkFunctionRegion(authorizerFunctionArn, authorizerName, caller);
      await store.write(async (tx) => {
        const record = await getAuthorizer(tx, accountId, authorizerName);
        const changed: AuthorizerRecord = {
          ...record,
          functionArn: authorizerFunctionArn ?? record.functionArn,
          byRoot: authorizerFunctionArn === undefined ? record.byRoot : isRoot(caller),
          status: status ?? record.status,
          ...defined({ tokenKeyName }),
          tokenSigningPublicKeys: { ...(tokenSigningPublicKeys ?? record.tokenSigningPublicKeys) },
          enableCachingForHttp: input.enableCachingForHttp ?? record.enableCachingForHttp,
          lastModifiedAt: clock.now(),
        };
        checkAuthorizer(changed, isFunctionName);
        await checkLimits(tx, changed);
        await tx.put(authorizers, changed);
        await claim(tx, claimOf(caller, changed));
      });
      return authorizerSummary(caller, { authorizerName });
    },

    async DeleteAuthorizer({ authorizerName = '' }, caller) {
      const { accountId } = caller;
      await store.write(async (tx) => {
        const record = await getAuthorizer(tx, accountId, authorizerName);
        if (record.status === 'ACTIVE')
          fail('DeleteConflictException', `The authorizer ${authorizerName} is ACTIVE; it must be INACTIVE to be deleted`);
        if ((await tx.get(defaultAuthorizers, [accountId]))?.authorizerName === authorizerName)
          fail('DeleteConflictException', `The authorizer ${authorizerName} is the default authorizer`);
        const domain = await domainNaming(tx, caller, authorizerName);
        if (domain !== undefined)
          fail('DeleteConflictException', `The authorizer ${authorizerName} is the default authorizer of ${domain}`);
        await tx.delete(authorizers, [accountId, authorizerName]);
        await release(tx, claimOf(caller, record));
        await tags.remove(tx, accountId, authorizerArn(caller, authorizerName));
      });
      return {};
    },
  };
}
