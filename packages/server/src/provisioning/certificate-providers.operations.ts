/**
 * CreateCertificateProvider, DescribeCertificateProvider, ListCertificateProviders, UpdateCertificateProvider,
 * DeleteCertificateProvider.
 */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { isRoot } from '../outgoing/author.ts';
import type { PolicyTags } from '../policies/principals.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import {
  checkProviderFunction,
  describeProvider,
  getProvider,
  providerArn,
  providerOf,
  providerSummary,
} from './certificate-providers.ts';
import { certificateProviders } from './store.ts';

export interface CertificateProviderOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly tags: PolicyTags;
  readonly isFunctionName: (name: string) => boolean;
}

type Operations = Handlers<
  Pick<
    IotOperations,
    | 'CreateCertificateProvider'
    | 'DescribeCertificateProvider'
    | 'ListCertificateProviders'
    | 'UpdateCertificateProvider'
    | 'DeleteCertificateProvider'
  >
>;

/** There is one operation that a provider can be the default for, and a provider that is the default for none does nothing. */
function checkOperations(operations: readonly string[] | undefined): void {
  if (operations?.length === 0)
    fail('InvalidRequestException', 'accountDefaultForOperations must have CreateCertificateFromCsr in it');
}

export const certificateProviderOperations = ({
  store,
  clock,
  tags,
  isFunctionName,
}: CertificateProviderOptions): Operations => ({
  async CreateCertificateProvider(input, caller) {
    const { certificateProviderName: name = '', lambdaFunctionArn = '', accountDefaultForOperations, clientToken } = input;
    const { accountId } = caller;
    const functionArn = checkProviderFunction(lambdaFunctionArn, caller, isFunctionName);
    checkOperations(accountDefaultForOperations);
    const arn = providerArn(caller, name);
    await store.write(async (tx) => {
      const there = await tx.get(certificateProviders, [accountId, name]);
      // The same request again, which its sender got no answer to.
      if (clientToken !== undefined && there?.clientToken === clientToken && there.functionArn === functionArn) return;
      if (there !== undefined)
        fail('ResourceAlreadyExistsException', `Certificate provider already exists: ${name}`, {
          resourceId: name,
          resourceArn: arn,
        });
      if ((await providerOf(tx, accountId)) !== undefined)
        fail('LimitExceededException', 'An account can have one certificate provider in a region');
      const now = clock.now();
      const record = { accountId, name, functionArn, byRoot: isRoot(caller), createdAt: now, lastModifiedAt: now };
      await tx.put(certificateProviders, { ...record, ...defined({ clientToken }) });
      if (input.tags !== undefined) await tags.put(tx, accountId, arn, input.tags);
    });
    return providerSummary(caller, { name });
  },

  async DescribeCertificateProvider({ certificateProviderName = '' }, caller) {
    return describeProvider(caller, await store.read((tx) => getProvider(tx, caller.accountId, certificateProviderName)));
  },

  async ListCertificateProviders({ nextToken, ascendingOrder = false }, caller) {
    const scan = { prefix: [caller.accountId], after: nextToken, reverse: !ascendingOrder, skipDamaged: true };
    const { items, next } = await store.read((tx) => tx.scan(certificateProviders, scan));
    return { certificateProviders: items.map((each) => providerSummary(caller, each)), nextToken: next };
  },

  async UpdateCertificateProvider(input, caller) {
    const { certificateProviderName: name = '', lambdaFunctionArn, accountDefaultForOperations } = input;
    checkOperations(accountDefaultForOperations);
    const changed =
      lambdaFunctionArn === undefined
        ? {}
        : { functionArn: checkProviderFunction(lambdaFunctionArn, caller, isFunctionName), byRoot: isRoot(caller) };
    await store.write(async (tx) => {
      const record = await getProvider(tx, caller.accountId, name);
      await tx.put(certificateProviders, { ...record, ...changed, lastModifiedAt: clock.now() });
    });
    return providerSummary(caller, { name });
  },

  async DeleteCertificateProvider({ certificateProviderName: name = '' }, caller) {
    const { accountId } = caller;
    await store.write(async (tx) => {
      await getProvider(tx, accountId, name);
      await tx.delete(certificateProviders, [accountId, name]);
      await tags.remove(tx, accountId, providerArn(caller, name));
    });
    return {};
  },
});
