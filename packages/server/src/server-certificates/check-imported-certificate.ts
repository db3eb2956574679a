/**
 * Checks an import: one certificate, its private key, and the chain above it, in order.
 * Source: ACM user guide, page import-certificate-prerequisites; the texts follow the observed answers of ACM.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { fail } from '@thingkeep/wire/errors.ts';
import { isIssuedBy } from '@thingkeep/x509/proof.ts';

export interface ImportedCertificate {
  readonly certificatePem: string;
  readonly chainPem: string;
  /** PKCS #8. */
  readonly privateKeyPem: string;
  readonly hostNames: readonly string[];
  readonly domainName: string;
  readonly keyAlgorithm: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Certificates of a chain at most; public chains have fewer. */
const LONGEST_CHAIN = 10;
const MAX_HOST_NAMES = 100;

const CURVES: ReadonlyMap<string | undefined, string> = new Map([
  ['prime256v1', 'EC_prime256v1'],
  ['secp384r1', 'EC_secp384r1'],
  ['secp521r1', 'EC_secp521r1'],
]);
const RSA_SIZES: ReadonlySet<number> = new Set([2048, 3072, 4096]);

const invalid = (message: string, cause?: unknown): never => fail('ValidationException', message, undefined, cause);

/** Complete PEM blocks of certificates; text around them is ignored. */
const BLOCKS = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

function certificatesIn(pem: string, field: string, most: number): X509Certificate[] {
  const blocks = pem.match(BLOCKS) ?? [];
  if (blocks.length === 0) invalid(`The ${field} field holds no certificate in PEM format.`);
  if (blocks.length > most)
    invalid(
      most === 1
        ? 'The certificate field contains more than one certificate. You can specify only one certificate in this field.'
        : `The certificate chain has more than ${most} certificates.`,
    );
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (cause) {
    return invalid(`The ${field} is not valid.`, cause);
  }
}

function keyIn(pem: string): KeyObject {
  if (/ENCRYPTED/.test(pem)) invalid('The private key is encrypted. You can import unencrypted private keys only.');
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    return invalid('The private key is not a private key in PEM format.', cause);
  }
}

function keyAlgorithmOf({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): string {
  const { modulusLength = 0, namedCurve } = asymmetricKeyDetails;
  const name =
    asymmetricKeyType === 'rsa' && RSA_SIZES.has(modulusLength)
      ? `RSA_${modulusLength}`
      : asymmetricKeyType === 'ec'
        ? CURVES.get(namedCurve)
        : undefined;
  return (
    name ?? invalid('The key of the certificate is neither RSA of 2048, 3072 or 4096 bits nor ECDSA on P-256, P-384 or P-521.')
  );
}

/** Checks that each certificate is signed by the next one, and a single one by itself. */
function checkChain(own: X509Certificate, above: readonly X509Certificate[]): void {
  if (above.length === 0 && !isIssuedBy(own, own))
    invalid(
      'Provided certificate is not a valid self signed. Please provide either a valid self-signed certificate or certificate chain.',
    );
  let below = own;
  for (const each of above) {
    if (!isIssuedBy(below, each)) invalid('Could not validate the certificate with the certificate chain.');
    below = each;
  }
}

/** DNS names of the subject alternative names, quoted by Node where they hold odd characters: such a one is no host name. */
const alternativeNames = ({ subjectAltName = '' }: X509Certificate): string[] =>
  subjectAltName
    .split(', ')
    .filter((each) => each.startsWith('DNS:'))
    .map((each) => each.slice('DNS:'.length).toLowerCase());

const commonName = ({ subject }: X509Certificate): string | undefined =>
  subject
    .split('\n')
    .find((line) => line.startsWith('CN='))
    ?.slice('CN='.length);

const HOST_NAME = /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;

function hostNamesOf(certificate: X509Certificate): string[] {
  const alternatives = alternativeNames(certificate);
  const common = commonName(certificate)?.toLowerCase();
  // A common name counts only where there is no alternative name (RFC 6125, section 6.4.4).
  const names = alternatives.length > 0 ? alternatives : common === undefined ? [] : [common];
  const hostNames = [...new Set(names.filter((name) => name.length <= 253 && HOST_NAME.test(name)))];
  if (hostNames.length === 0) invalid('The certificate names no host that it could be used for.');
  if (hostNames.length > MAX_HOST_NAMES) invalid(`The certificate names more than ${MAX_HOST_NAMES} hosts.`);
  return hostNames;
}

/** Returns a certificate that may be stored and served; fails with ValidationException for any other. */
export function checkImportedCertificate(
  { certificate, privateKey, chain }: { certificate: string; privateKey: string; chain?: string | undefined },
  now: number,
): ImportedCertificate {
  const [own] = certificatesIn(certificate, 'certificate', 1) as [X509Certificate];
  const above = chain === undefined ? [] : certificatesIn(chain, 'certificate chain', LONGEST_CHAIN);
  const key = keyIn(privateKey);
  const keyAlgorithm = keyAlgorithmOf(own.publicKey);
  if (!own.checkPrivateKey(key)) invalid('The private key does not match the certificate.');
  checkChain(own, above);
  const notBefore = own.validFromDate.getTime();
  const notAfter = own.validToDate.getTime();
  if (now < notBefore || now > notAfter)
    invalid('The certificate is not valid at this time: its validity has not begun or is over.');
  const hostNames = hostNamesOf(own);
  return {
    certificatePem: own.toString(),
    chainPem: above.map((each) => each.toString()).join(''),
    privateKeyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    hostNames,
    domainName: hostNames[0] ?? '',
    keyAlgorithm,
    notBefore,
    notAfter,
  };
}
