/** What a domain configuration may say: host names, certificates for them, and ways of authentication with their protocols. */
import { X509Certificate } from 'node:crypto';
import { type Place, otherRegionIn } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { serverCertificateId, serverCertificates } from '../server-certificates/store.ts';
import type { ReadTransaction } from '../store/contract.ts';
import type { ApplicationProtocol, AuthenticationType, DomainRecord } from './store.ts';

/** Which protocols go with which type (developer guide, page protocols); `DEFAULT` leaves it to port and ALPN. */
const PROTOCOLS: Readonly<Record<AuthenticationType, readonly ApplicationProtocol[]>> = {
  DEFAULT: ['DEFAULT', 'SECURE_MQTT', 'MQTT_WSS', 'HTTPS'],
  AWS_X509: ['DEFAULT', 'SECURE_MQTT', 'HTTPS'],
  CUSTOM_AUTH_X509: ['DEFAULT', 'SECURE_MQTT', 'HTTPS'],
  AWS_SIGV4: ['DEFAULT', 'MQTT_WSS', 'HTTPS'],
  CUSTOM_AUTH: ['DEFAULT', 'SECURE_MQTT', 'MQTT_WSS', 'HTTPS'],
};

/** What AWS adds to its words. */
const SEE =
  'Please refer to <https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html> for supported combinations and try again.';

/**
 * Fails with InvalidRequestException for a combination that AWS IoT does not have. The first two texts are AWS's, in the order
 * that it asks (probe pf-iot-domainconfiguration-auth-combo of cdk-preflight).
 */
export function checkCombination({
  authenticationType: type,
  applicationProtocol: protocol,
  authorizerConfig,
}: Pick<DomainRecord, 'authenticationType' | 'applicationProtocol' | 'authorizerConfig'>): void {
  if (type !== 'DEFAULT' && protocol === 'DEFAULT')
    fail(
      'InvalidRequestException',
      `The domain must configure a supported ApplicationProtocol when configuring an AuthenticationType. ${SEE}`,
    );
  if (type === 'CUSTOM_AUTH' && authorizerConfig === undefined)
    fail(
      'InvalidRequestException',
      `The domain configuration must have a valid AuthorizerConfig configured when using CUSTOM_AUTH as the AuthenticationType. ${SEE}`,
    );
  if (!PROTOCOLS[type].includes(protocol))
    fail('InvalidRequestException', `The authentication type ${type} does not go with the application protocol ${protocol}`);
}

/** Fails with InvalidRequestException for a function that can't be called, or is of another region. */
export function checkCallback(
  { name, clientCertificateConfig }: Pick<DomainRecord, 'name' | 'clientCertificateConfig'>,
  place: Place,
  isFunctionName: (name: string) => boolean,
): void {
  const functionArn = clientCertificateConfig?.clientCertificateCallbackArn;
  if (functionArn !== undefined && !isFunctionName(functionArn))
    fail(
      'InvalidRequestException',
      'clientCertificateCallbackArn is neither the ARN of a Lambda function nor an http or https URL',
    );
  if (functionArn !== undefined && otherRegionIn(functionArn, 'lambda', place) !== undefined)
    fail('InvalidRequestException', `Lambda function region must be same as domain configuration ${name} region`);
}

/**
 * Labels of letters, digits and hyphens (RFC 1123, section 2.1). An address is none: TLS names no address (RFC 6066, section
 * 3).
 */
const DOMAIN_NAME = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;
const ADDRESS = /^[\d.]+$/;

export const checkDomainName = (domainName: string): string =>
  DOMAIN_NAME.test(domainName) && !ADDRESS.test(domainName)
    ? domainName
    : fail('InvalidRequestException', `The domain name is no host name: ${domainName.slice(0, 253)}`);

/**
 * Makes sure that a certificate of the account may be served for the domain name. Fails with CertificateValidationException
 * when it is unknown, out of its validity, or made out to other names.
 */
export async function checkCertificate(
  tx: ReadTransaction,
  place: Place,
  { certificateArn, domainName, now }: { certificateArn: string; domainName: string; now: number },
): Promise<void> {
  const id = serverCertificateId(certificateArn, place);
  const record = id === undefined ? undefined : await tx.get(serverCertificates, [place.accountId, id]);
  if (record === undefined)
    return fail('CertificateValidationException', `The certificate ${certificateArn} is not there in this account and region`);
  const fault = certificateFault(record, domainName, now);
  if (fault !== undefined) fail('CertificateValidationException', `The certificate ${certificateArn} ${fault}`);
}

/** Why a certificate is not right for a domain name, in words that follow its name; undefined when it is. */
export function certificateFault(
  { certificatePem, notBefore, notAfter }: { certificatePem: string; notBefore: number; notAfter: number },
  domainName: string,
  now: number,
): string | undefined {
  if (now > notAfter) return 'has expired';
  if (now < notBefore) return 'is not valid yet';
  if (new X509Certificate(certificatePem).checkHost(domainName) === undefined) return `is not made out to ${domainName}`;
  return undefined;
}
