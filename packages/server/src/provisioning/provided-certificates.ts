/**
 * A certificate that the account's certificate provider makes of a signing request: its function is asked, and what it answers
 * has to be of the request's subject and key. Source: AWS IoT developer guide, page provisioning-cert-provider.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail, ThingkeepError } from '@thingkeep/wire/errors.ts';
import { parseCertificate } from '@thingkeep/x509/certificate.ts';
import { type ReadCertificate, readCertificate } from '../authority/read-certificate.ts';
import type { DeviceIssuer } from '../authority/authority.ts';
import type { FunctionInvoker } from '../functions/contract.ts';
import { newCertificate } from '../registry/certificates.ts';
import { certificates } from '../registry/store.ts';
import type { WriteTransaction } from '../store/contract.ts';
import { providerArn } from './certificate-providers.ts';
import { type AskedFunction, askFunction } from './function-answer.ts';
import type { FleetRequester } from './ownership.ts';
import { ProvisioningRejection } from './rejections.ts';
import type { CertificateProviderRecord } from './store.ts';

export interface ProvidedCertificate extends Pick<ReadCertificate, 'certificateId' | 'notBefore' | 'notAfter'> {
  /** As the function has answered it. */
  readonly certificatePem: string;
}

interface SigningRequest {
  /** PEM. */
  readonly request: string;
  readonly prepared: ReturnType<DeviceIssuer['prepareFromCsr']>;
}

function readAnswered(pem: string, reject: AskedFunction['reject']): ReadCertificate {
  try {
    return readCertificate(pem);
  } catch (error) {
    if (error instanceof ThingkeepError) return reject(`answered no usable certificate: ${error.message}`, error);
    throw error;
  }
}

export async function provideCertificate(
  functions: FunctionInvoker,
  provider: CertificateProviderRecord,
  { place, principal, clientId }: FleetRequester,
  { request, prepared }: SigningRequest,
): Promise<ProvidedCertificate> {
  const name = `the certificate provider ${provider.name}`;
  const reject: AskedFunction['reject'] = (why, cause) => {
    throw new ProvisioningRejection('InvalidRequest', 'The certificate provider gave no certificate.', `${name} ${why}`, cause);
  };
  const { functionArn, byRoot } = provider;
  const sourceArn = providerArn(place, provider.name);
  const asked = { functionArn, byRoot, sourceArn, sourceAccount: place.accountId, name, reject };
  const event = { certificateSigningRequest: request, principalId: principal, clientId };
  const { certificatePem } = await askFunction(functions, asked, event);
  if (typeof certificatePem !== 'string') return reject('answered no certificatePem');
  const { certificateId, notBefore, notAfter, der } = readAnswered(certificatePem, reject);
  const { subject, publicKey } = parseCertificate(Buffer.from(der));
  if (!subject.equals(prepared.subject)) reject('answered a certificate of another subject than the request');
  if (!publicKey.equals(prepared.publicKey)) reject('answered a certificate of another public key than the request');
  return { certificateId, certificatePem, notBefore, notAfter };
}

/** Keeps the certificate, which waits for its owner. */
export async function keepProvidedCertificate(
  tx: WriteTransaction,
  { accountId }: Place,
  provided: ProvidedCertificate,
  now: number,
): Promise<void> {
  if ((await tx.get(certificates, [accountId, provided.certificateId])) !== undefined)
    fail('InvalidRequestException', 'The certificate is already provisioned or registered');
  await tx.put(certificates, newCertificate({ accountId, ...provided, status: 'PENDING_ACTIVATION', mode: 'DEFAULT' }, now));
}
