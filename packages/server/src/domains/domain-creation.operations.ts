/** CreateDomainConfiguration: a host name of the account's own, or one that the server makes up, with a certificate for it. */
import { randomInt } from 'node:crypto';
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { isRoot } from '../outgoing/author.ts';
import type { WriteTransaction } from '../store/contract.ts';
import type { DomainOptions } from './domain-configurations.operations.ts';
import { checkCallback, checkCertificate, checkCombination, checkDomainName } from './rules.ts';
import { checkSecurityPolicy, DEFAULT_SECURITY_POLICY } from './security-policies.ts';
import { type DomainRecord, domainArn, domainConfigurations, type IssuedRecord, issuedCertificates } from './store.ts';

type CreationInput = IotOperations['CreateDomainConfiguration']['input'];

/** General Reference, "AWS IoT Core endpoints and quotas": domain configurations of an account and region. */
const MAX_CONFIGURATIONS = 10;

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const randomName = (length: number): string => Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join('');

/** The record that the input describes; fails with InvalidRequestException where its parts don't go together. */
function recordOf(input: CreationInput, caller: Caller, endpoint: string, now: number): DomainRecord {
  const { accountId } = caller;
  const { domainConfigurationName: name = '', serverCertificateArns = [], authorizerConfig } = input;
  const {
    authenticationType = 'DEFAULT',
    applicationProtocol = 'DEFAULT',
    serverCertificateConfig,
    clientCertificateConfig,
  } = input;
  const [serverCertificateArn] = serverCertificateArns;
  if (input.domainName === undefined && (serverCertificateArn ?? input.validationCertificateArn) !== undefined)
    fail('InvalidRequestException', 'A certificate is given for a domain name, and there is none');
  checkCombination({ authenticationType, applicationProtocol, authorizerConfig });
  return {
    accountId,
    name,
    id: randomName(5),
    domainName: input.domainName === undefined ? `${randomName(14)}.${endpoint}` : checkDomainName(input.domainName),
    domainType: input.domainName === undefined ? 'AWS_MANAGED' : 'CUSTOMER_MANAGED',
    serviceType: input.serviceType ?? 'DATA',
    status: 'ENABLED',
    createdAt: now,
    statusChangedAt: now,
    securityPolicy: checkSecurityPolicy(input.tlsConfig?.securityPolicy ?? DEFAULT_SECURITY_POLICY),
    authenticationType,
    applicationProtocol,
    authorizerConfig,
    serverCertificateArn,
    serverCertificateConfig,
    clientCertificateConfig,
    callbackByRoot: clientCertificateConfig === undefined ? undefined : isRoot(caller),
  } as DomainRecord;
}

async function checkRoom(tx: WriteTransaction, record: DomainRecord, caller: Caller): Promise<void> {
  const { accountId, name } = record;
  const there = await tx.get(domainConfigurations, [accountId, name]);
  if (there !== undefined)
    fail('ResourceAlreadyExistsException', `Domain configuration already exists: ${name}`, {
      resourceId: name,
      resourceArn: domainArn(caller, there),
    });
  const { items } = await tx.scan(domainConfigurations, { skipDamaged: true, prefix: [accountId] });
  if (items.length >= MAX_CONFIGURATIONS)
    fail('LimitExceededException', `An account can have at most ${MAX_CONFIGURATIONS} domain configurations`);
}

export const domainCreationOperations = ({
  store,
  clock,
  tags,
  directory,
  operatorNames,
  issuer,
  endpoint,
  isFunctionName,
}: DomainOptions): Handlers<Pick<IotOperations, 'CreateDomainConfiguration'>> => {
  /** Everything that may refuse the configuration; asked before a key is made for it, and again when it is stored. */
  async function check(tx: WriteTransaction, record: DomainRecord, input: CreationInput, caller: Caller): Promise<void> {
    const { domainName } = record;
    await checkRoom(tx, record, caller);
    const now = clock.now();
    for (const certificateArn of [record.serverCertificateArn, input.validationCertificateArn])
      if (certificateArn !== undefined) await checkCertificate(tx, caller, { certificateArn, domainName, now });
  }

  async function issued(record: DomainRecord): Promise<IssuedRecord | undefined> {
    if (record.serverCertificateArn !== undefined) return undefined;
    const { accountId, name, domainName } = record;
    return { accountId, name, ...(await issuer.issueServerCertificate(domainName.toLowerCase())) };
  }

  return {
    async CreateDomainConfiguration(input, caller) {
      const record = recordOf(input, caller, endpoint, clock.now());
      checkCallback(record, caller, isFunctionName);
      operatorNames.check(record, caller);
      const arn = domainArn(caller, record);
      await store.write((tx) => check(tx, record, input, caller));
      using _claim = directory.claim(record.domainName.toLowerCase());
      const certificate = await issued(record);
      await store.write(async (tx) => {
        await check(tx, record, input, caller);
        await tx.put(domainConfigurations, record);
        if (certificate !== undefined) await tx.put(issuedCertificates, certificate);
        if (input.tags !== undefined && input.tags.length > 0) await tags.put(tx, caller.accountId, arn, input.tags);
      });
      return { domainConfigurationName: record.name, domainConfigurationArn: arn };
    },
  };
};
