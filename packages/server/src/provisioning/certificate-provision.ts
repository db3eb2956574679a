/**
 * A certificate that the account's certificate provider makes of a signing request: its function is asked, and what it answers
 * has to be of the request's subject and key. Source: AWS IoT developer guide, page provisioning-cert-provider.
 */
import { JsonError, parseJson } from '@thingkeep/wire/api/parse-json.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail, ThingkeepError } from '@thingkeep/wire/errors.ts';
import { parseCertificate } from '@thingkeep/x509/certificate.ts';
import { type ReadCertificate, readCertificate } from '../authority/read-certificate.ts';
import type { DeviceIssuer } from '../authority/authority.ts';
import { FunctionError, type FunctionInvoker } from '../functions/contract.ts';
import { newCertificate } from '../registry/certificates.ts';
import { certificates } from '../registry/store.ts';
import type { WriteTransaction } from '../store/contract.ts';
import { providerArn } from './certificate-providers.ts';
import type { FleetRequester } from './ownership.ts';
import { isMembers } from './payloads.ts';
import { ProvisioningRejection } from './rejections.ts';
import type { CertificateProviderRecord } from './store.ts';

/** Milliseconds. */
const TIMEOUT = 5_000;

export interface ProvidedCertificate extends Pick<ReadCertificate, 'certificateId' | 'notBefore' | 'notAfter'> {
  /** As the function has answered it. */
  readonly certificatePem: string;
}

interface SigningRequest {
  /** PEM. */
  readonly request: string;
  readonly prepared: ReturnType<DeviceIssuer['prepareFromCsr']>;
}

/** The device is told no more than that; the owner finds why. */
function failure(name: string, why: string, cause?: unknown): never {
  const text = 'The certificate provider gave no certificate.';
  throw new ProvisioningRejection('InvalidRequest', text, `the certificate provider ${name} ${why}`, cause);
}

async function ask(
  functions: FunctionInvoker,
  { name, functionArn, byRoot }: CertificateProviderRecord,
  place: Place,
  event: object,
): Promise<Uint8Array> {
  const as = { service: 'iot.amazonaws.com', sourceArn: providerArn(place, name), sourceAccount: place.accountId, byRoot };
  try {
    return await functions.invoke(functionArn, Buffer.from(JSON.stringify(event)), { timeoutMs: TIMEOUT, as });
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error;
    if (error.fault === 'overload') {
      const why = `the certificate provider ${name} gave no answer: ${error.message}`;
      throw new ProvisioningRejection('Throttled', 'Rate exceeded', why, error);
    }
    return failure(name, `gave no answer: ${error.message}`, error);
  }
}

function certificateIn(answer: Uint8Array, name: string): string {
  try {
    const body = parseJson(answer);
    const pem = isMembers(body) ? body.certificatePem : undefined;
    return typeof pem === 'string' ? pem : failure(name, 'answered no certificatePem');
  } catch (error) {
    if (error instanceof JsonError) return failure(name, `answered no JSON: ${error.message}`, error);
    throw error;
  }
}

function readAnswered(pem: string, name: string): ReadCertificate {
  try {
    return readCertificate(pem);
  } catch (error) {
    if (error instanceof ThingkeepError) return failure(name, `answered no usable certificate: ${error.message}`, error);
    throw error;
  }
}

export async function provideCertificate(
  functions: FunctionInvoker,
  provider: CertificateProviderRecord,
  { place, claim, clientId }: FleetRequester,
  { request, prepared }: SigningRequest,
): Promise<ProvidedCertificate> {
  const { name } = provider;
  const event = { certificateSigningRequest: request, principalId: claim, clientId };
  const certificatePem = certificateIn(await ask(functions, provider, place, event), name);
  const { certificateId, notBefore, notAfter, der } = readAnswered(certificatePem, name);
  const { subject, publicKey } = parseCertificate(Buffer.from(der));
  if (!subject.equals(prepared.subject)) failure(name, 'answered a certificate of another subject than the request');
  if (!publicKey.equals(prepared.publicKey)) failure(name, 'answered a certificate of another public key than the request');
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
