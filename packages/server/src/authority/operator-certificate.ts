/** A server certificate that the operator brings: checked when the server starts, each fault with its own words. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { pemBlocks, toPem } from '@thingkeep/x509/pem.ts';
import { isIssuedBy, isKeyPair } from '@thingkeep/x509/proof.ts';
import { AuthorityError } from './key-folder.ts';

/** PEM texts: the server's certificate with those above it, and its key. */
export interface OperatorCertificate {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface ServerCredential {
  readonly kind: 'ec' | 'rsa';
  readonly key: string;
  readonly cert: string;
  /** Milliseconds since the epoch: the end of the first certificate. */
  readonly notAfter: number;
}

const refuse = (why: string, cause?: unknown): never => {
  throw new AuthorityError(`the server certificate can't be used: ${why}`, { cause });
};

const readKey = (keyPem: string): KeyObject => {
  try {
    return createPrivateKey(keyPem);
  } catch (cause) {
    return refuse(/ENCRYPTED/.test(keyPem) ? 'its key is encrypted' : 'its key is no private key in PEM format', cause);
  }
};

const readChain = (certPem: string): X509Certificate[] => {
  try {
    return (pemBlocks(certPem, ['CERTIFICATE']) ?? []).map((each) => new X509Certificate(each));
  } catch (cause) {
    return refuse('its file holds something that is no certificate', cause);
  }
};

const kindOf = (key: KeyObject): 'ec' | 'rsa' => {
  if (key.asymmetricKeyType === 'ec') return 'ec';
  return key.asymmetricKeyType === 'rsa'
    ? 'rsa'
    : refuse(`its key is of the kind ${key.asymmetricKeyType}, neither RSA nor ECDSA`);
};

export function readOperatorCertificate({ certPem, keyPem }: OperatorCertificate, now: number): ServerCredential {
  const key = readKey(keyPem);
  const kind = kindOf(key);
  const chain = readChain(certPem);
  const [own, ...above] = chain;
  if (own === undefined) return refuse('its file holds no certificate in PEM format');
  if (!own.checkPrivateKey(key)) refuse('its key is not the one that the first certificate names');
  if (now > own.validToDate.getTime()) refuse(`it expired on ${own.validToDate.toISOString()}`);
  if (now < own.validFromDate.getTime()) refuse(`it is not valid before ${own.validFromDate.toISOString()}`);
  if (!isKeyPair(key, own.publicKey)) refuse('its key is damaged: what it signs does not verify under the first certificate');
  if (above.length === 0 && own.subject === own.issuer && !isIssuedBy(own, own))
    refuse('it is damaged: it does not verify under itself');
  let below = own;
  for (const each of above) {
    if (!isIssuedBy(below, each)) refuse('its chain is broken: each certificate must be signed by the next');
    below = each;
  }
  return {
    kind,
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: chain.map((each) => toPem('CERTIFICATE', each.raw)).join(''),
    notAfter: own.validToDate.getTime(),
  };
}
