/** Records of domain configurations: host names of an account's own, and how devices are met there. */
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import { collection } from '../store/contract.ts';

export type AuthenticationType = 'DEFAULT' | 'AWS_X509' | 'AWS_SIGV4' | 'CUSTOM_AUTH' | 'CUSTOM_AUTH_X509';
export type ApplicationProtocol = 'DEFAULT' | 'SECURE_MQTT' | 'MQTT_WSS' | 'HTTPS';
export type ServiceType = 'DATA' | 'CREDENTIAL_PROVIDER' | 'JOBS';

/** Times are milliseconds since the epoch. */
export interface DomainRecord {
  readonly accountId: string;
  readonly name: string;
  /** Last part of the ARN. */
  readonly id: string;
  /** Lower case. */
  readonly domainName: string;
  readonly domainType: 'CUSTOMER_MANAGED' | 'AWS_MANAGED';
  readonly serviceType: ServiceType;
  readonly status: 'ENABLED' | 'DISABLED';
  readonly createdAt: number;
  readonly statusChangedAt: number;
  readonly securityPolicy: string;
  readonly authenticationType: AuthenticationType;
  readonly applicationProtocol: ApplicationProtocol;
  readonly authorizerConfig?: { readonly defaultAuthorizerName?: string; readonly allowAuthorizerOverride?: boolean };
  /** Absent: the server's own authority certifies the host name. */
  readonly serverCertificateArn?: string;
  readonly serverCertificateConfig?: {
    readonly enableOCSPCheck?: boolean;
    readonly ocspLambdaArn?: string;
    readonly ocspAuthorizedResponderArn?: string;
  };
  readonly clientCertificateConfig?: { readonly clientCertificateCallbackArn?: string };
  /** Whether the account's root wrote `clientCertificateConfig`; absent in records of before that was kept. */
  readonly callbackByRoot?: boolean;
}

/** A certificate that the server's own authority issued for a domain, with its keys: PEM, one pair per kind of key. */
export interface IssuedRecord {
  readonly accountId: string;
  readonly name: string;
  readonly key: readonly string[];
  readonly cert: readonly string[];
  /** Milliseconds since the epoch. */
  readonly renewAt: number;
}

export const domainConfigurations = collection<DomainRecord>(
  'domain-configurations',
  (d) => [d.accountId, d.name],
  {
    byCertificate: (d) => (d.serverCertificateArn === undefined ? [] : [[d.accountId, d.serverCertificateArn, d.name]]),
  },
  { changes: 'domain-configuration' },
);

export const issuedCertificates = collection<IssuedRecord>(
  'domain-certificates',
  (c) => [c.accountId, c.name],
  {},
  { changes: 'domain-certificate', shows: false },
);

export const domainArn = (place: Place, { name, id }: Pick<DomainRecord, 'name' | 'id'>): string =>
  iotArn(place, 'domainconfiguration', `${name}/${id}`);
