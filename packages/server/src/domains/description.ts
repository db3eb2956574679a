/** How the API shows a domain configuration, and the one that is built in: the endpoint itself. */
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import { serverCertificateId, serverCertificates } from '../server-certificates/store.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { certificateFault } from './rules.ts';
import { DEFAULT_SECURITY_POLICY } from './security-policies.ts';
import { type DomainRecord, domainArn, type ServiceType } from './store.ts';

type DomainDescription = IotOperations['DescribeDomainConfiguration']['output'];

/** Name of the configuration that every account has: the endpoint of DescribeEndpoint. */
export const BUILT_IN = 'iot:Data-ATS';

export const builtInArn = (place: Place): string => iotArn(place, 'domainconfiguration', BUILT_IN);

export const builtInDescription = (place: Place, endpoint: string): DomainDescription => ({
  domainConfigurationName: BUILT_IN,
  domainConfigurationArn: builtInArn(place),
  domainName: endpoint,
  serverCertificates: [],
  domainConfigurationStatus: 'ENABLED',
  serviceType: 'DATA',
  domainType: 'ENDPOINT',
  tlsConfig: { securityPolicy: DEFAULT_SECURITY_POLICY },
  authenticationType: 'DEFAULT',
  applicationProtocol: 'DEFAULT',
});

export async function describedDomain(
  tx: ReadTransaction,
  place: Place,
  record: DomainRecord,
  now: number,
): Promise<DomainDescription> {
  const { authorizerConfig, serverCertificateConfig, clientCertificateConfig } = record;
  return {
    domainConfigurationName: record.name,
    domainConfigurationArn: domainArn(place, record),
    domainName: record.domainName,
    serverCertificates: await certificateSummaries(tx, place, record, now),
    domainConfigurationStatus: record.status,
    serviceType: record.serviceType,
    domainType: record.domainType,
    lastStatusChangeDate: new Date(record.statusChangedAt),
    tlsConfig: { securityPolicy: record.securityPolicy },
    authenticationType: record.authenticationType,
    applicationProtocol: record.applicationProtocol,
    authorizerConfig: authorizerConfig === undefined ? undefined : { ...authorizerConfig },
    serverCertificateConfig: serverCertificateConfig === undefined ? undefined : { ...serverCertificateConfig },
    clientCertificateConfig: clientCertificateConfig === undefined ? undefined : { ...clientCertificateConfig },
  };
}

async function certificateSummaries(
  tx: ReadTransaction,
  place: Place,
  { accountId, domainName, serverCertificateArn }: DomainRecord,
  now: number,
): Promise<NonNullable<DomainDescription['serverCertificates']>> {
  if (serverCertificateArn === undefined) return [];
  const certificate = await tx.get(serverCertificates, [accountId, serverCertificateId(serverCertificateArn, place) ?? '']);
  const fault = certificate === undefined ? 'is not there' : certificateFault(certificate, domainName, now);
  return [
    fault === undefined
      ? { serverCertificateArn, serverCertificateStatus: 'VALID' }
      : { serverCertificateArn, serverCertificateStatus: 'INVALID', serverCertificateStatusDetail: `The certificate ${fault}` },
  ];
}

export interface ListedDomain {
  readonly domainConfigurationName: string;
  readonly domainConfigurationArn: string;
  readonly serviceType: ServiceType;
}

export const listedDomain = (place: Place, record: DomainRecord): ListedDomain => ({
  domainConfigurationName: record.name,
  domainConfigurationArn: domainArn(place, record),
  serviceType: record.serviceType,
});
