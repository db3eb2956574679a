/** DescribeDomainConfiguration, ListDomainConfigurations, UpdateDomainConfiguration, DeleteDomainConfiguration. */
import { defined } from '@thingkeep/wire/defined.ts';
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { isRoot } from '../outgoing/author.ts';
import type { PolicyTags } from '../policies/principals.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ReadTransaction, Store } from '../store/contract.ts';
import { BUILT_IN, builtInArn, builtInDescription, describedDomain, listedDomain } from './description.ts';
import type { DomainDirectory } from './directory.ts';
import type { OperatorNames } from './operator-names.ts';
import { checkCallback, checkCombination } from './rules.ts';
import { checkSecurityPolicy } from './security-policies.ts';
import type { HostNameIssuer } from './serving.ts';
import { type DomainRecord, domainArn, domainConfigurations, issuedCertificates } from './store.ts';

export interface DomainOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly tags: PolicyTags;
  readonly directory: DomainDirectory;
  readonly operatorNames: OperatorNames;
  readonly issuer: HostNameIssuer;
  /** Host name of the built-in configuration; AWS-managed domains are below it. */
  readonly endpoint: string;
  /** Whether a function can be called by this name. */
  readonly isFunctionName: (name: string) => boolean;
}

type Operations = Pick<
  IotOperations,
  'DescribeDomainConfiguration' | 'ListDomainConfigurations' | 'UpdateDomainConfiguration' | 'DeleteDomainConfiguration'
>;
type Update = IotOperations['UpdateDomainConfiguration']['input'];

/** API reference, member PageSize: at most 250. */
const LARGEST_PAGE = 250;

async function existing(tx: ReadTransaction, accountId: string, name: string): Promise<DomainRecord> {
  const record = await tx.get(domainConfigurations, [accountId, name]);
  return record ?? fail('ResourceNotFoundException', `Domain configuration not found: ${name}`);
}

/** Tells whose name the last entry of a page had; base64, as AWS's markers are. */
const markerOf = (name: string): string => Buffer.from(name).toString('base64');

function nameOf(marker: string): string {
  const name = Buffer.from(marker, 'base64').toString();
  return markerOf(name) === marker ? name : fail('InvalidRequestException', 'The marker is invalid.');
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Whether an update only makes way for the end of a configuration. */
const onlyDisables = ({ domainConfigurationName: _, domainConfigurationStatus: status, ...rest }: Update): boolean =>
  status === 'DISABLED' && Object.values(rest).every((value) => value === undefined);

/** Whether an update is about how clients authenticate: what is stored already is not asked again. */
const namesCombination = ({
  authenticationType,
  applicationProtocol,
  authorizerConfig,
  removeAuthorizerConfig,
}: Update): boolean =>
  [authenticationType, applicationProtocol, authorizerConfig, removeAuthorizerConfig].some((value) => value !== undefined);

/** The record after an update; fails with InvalidRequestException where its parts don't go together. */
function updated(
  before: DomainRecord,
  input: Update,
  caller: Caller,
  now: number,
  isFunctionName: DomainOptions['isFunctionName'],
): DomainRecord {
  const { removeAuthorizerConfig, authorizerConfig, tlsConfig, serverCertificateConfig, clientCertificateConfig } = input;
  if (removeAuthorizerConfig === true && authorizerConfig !== undefined)
    fail('InvalidRequestException', 'An authorizer configuration is either given or removed');
  const { authorizerConfig: kept, ...rest } = before;
  const authorizer = removeAuthorizerConfig === true ? undefined : (authorizerConfig ?? kept);
  const status = input.domainConfigurationStatus ?? before.status;
  const after = {
    ...rest,
    status,
    statusChangedAt: status === before.status ? before.statusChangedAt : now,
    securityPolicy: checkSecurityPolicy(tlsConfig?.securityPolicy ?? before.securityPolicy),
    authenticationType: input.authenticationType ?? before.authenticationType,
    applicationProtocol: input.applicationProtocol ?? before.applicationProtocol,
    ...defined({ authorizerConfig: authorizer }),
    ...defined({ serverCertificateConfig }),
    ...defined({ clientCertificateConfig, callbackByRoot: clientCertificateConfig === undefined ? undefined : isRoot(caller) }),
  } as DomainRecord;
  if (namesCombination(input)) checkCombination(after);
  if (clientCertificateConfig !== undefined) checkCallback(after, caller, isFunctionName);
  return after;
}

export const domainOperations = ({
  store,
  clock,
  tags,
  operatorNames,
  endpoint,
  isFunctionName,
}: DomainOptions): Handlers<Operations> => {
  const described = async (name: string, caller: Caller) =>
    store.read(async (tx) => describedDomain(tx, caller, await existing(tx, caller.accountId, name), clock.now()));

  return {
    async DescribeDomainConfiguration({ domainConfigurationName: name = '' }, caller) {
      return name === BUILT_IN ? builtInDescription(caller, endpoint) : described(name, caller);
    },

    async ListDomainConfigurations({ marker, pageSize = LARGEST_PAGE, serviceType }, caller) {
      const { items } = await store.read((tx) =>
        tx.scan(domainConfigurations, { skipDamaged: true, prefix: [caller.accountId] }),
      );
      const builtIn = {
        domainConfigurationName: BUILT_IN,
        domainConfigurationArn: builtInArn(caller),
        serviceType: 'DATA' as const,
      };
      const after = marker === undefined ? undefined : nameOf(marker);
      // A quota keeps them few, so all of them are read and sorted with the built-in one among them.
      const left = [builtIn, ...items.map((record) => listedDomain(caller, record))]
        .sort((a, b) => byText(a.domainConfigurationName, b.domainConfigurationName))
        .filter((each) => serviceType === undefined || each.serviceType === serviceType)
        .filter((each) => after === undefined || byText(each.domainConfigurationName, after) > 0);
      const page = left.slice(0, pageSize);
      const last = page.at(-1);
      return {
        domainConfigurations: page,
        nextMarker: left.length > pageSize && last !== undefined ? markerOf(last.domainConfigurationName) : undefined,
      };
    },

    async UpdateDomainConfiguration(input, caller) {
      const { domainConfigurationName: name = '' } = input;
      if (name === BUILT_IN)
        return fail(
          'InvalidRequestException',
          `${BUILT_IN} is the server's own endpoint, for all accounts: it can not be changed`,
        );
      const record = await store.write(async (tx) => {
        const before = await existing(tx, caller.accountId, name);
        if (!onlyDisables(input)) operatorNames.check(before, caller);
        const after = updated(before, input, caller, clock.now(), isFunctionName);
        await tx.put(domainConfigurations, after);
        return after;
      });
      return { domainConfigurationName: name, domainConfigurationArn: domainArn(caller, record) };
    },

    async DeleteDomainConfiguration({ domainConfigurationName: name = '' }, caller) {
      const { accountId } = caller;
      await store.write(async (tx) => {
        const record = await existing(tx, accountId, name);
        if (record.status === 'ENABLED')
          fail('InvalidRequestException', `The domain configuration ${name} must be DISABLED before it can be deleted`);
        await tx.delete(domainConfigurations, [accountId, name]);
        await tx.delete(issuedCertificates, [accountId, name]);
        await tags.remove(tx, accountId, domainArn(caller, record));
      });
      return {};
    },
  };
};
