/** Records of imported server certificates, as AWS Certificate Manager has them, and of their private keys. */
import { parseArn, type Place } from '@thingkeep/wire/arn.ts';
import { collection } from '../store/contract.ts';

/** Times are milliseconds since the epoch. */
export interface ServerCertificateRecord {
  readonly accountId: string;
  /** Last part of the ARN. */
  readonly id: string;
  readonly certificatePem: string;
  /** PEM certificates, each signed by the next; empty for a self-signed certificate. */
  readonly chainPem: string;
  /** Common name or first alternative name. */
  readonly domainName: string;
  /** Host names of the certificate, wildcards included. */
  readonly hostNames: readonly string[];
  /** As the API writes it, such as `EC_prime256v1`. */
  readonly keyAlgorithm: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly createdAt: number;
  /** Time of the last import. */
  readonly importedAt: number;
  readonly tags: readonly CertificateTag[];
}

export interface CertificateTag {
  readonly Key: string;
  readonly Value?: string;
}

/** A private key, in a collection of its own, so that no list or description reads one. */
export interface ServerKeyRecord {
  readonly accountId: string;
  readonly id: string;
  readonly privateKeyPem: string;
}

export const serverCertificates = collection<ServerCertificateRecord>(
  'server-certificates',
  (c) => [c.accountId, c.id],
  {
    byCreation: (c) => [[c.accountId, c.createdAt, c.id]],
  },
  { changes: 'server-certificate' },
);

export const serverKeys = collection<ServerKeyRecord>('server-certificate-keys', (k) => [k.accountId, k.id]);

export const serverCertificateArn = ({ region, accountId }: Place, id: string): string =>
  `arn:aws:acm:${region}:${accountId}:certificate/${id}`;

/** The id in a certificate's ARN of this place; undefined for any other text. */
export function serverCertificateId(text: string, place: Place): string | undefined {
  const arn = parseArn(text);
  const here = arn?.service === 'acm' && arn.region === place.region && arn.account === place.accountId;
  return here && arn.type === 'certificate' && arn.name !== '' ? arn.name : undefined;
}
