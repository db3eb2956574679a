/** Proves what is served for a host name: the key signs what its certificate verifies, and the chain holds. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIssuedBy, isKeyPair } from '@thingkeep/x509/proof.ts';
import type { DomainTls } from './directory.ts';

const BLOCKS = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The proof of what is served: why it must not be, or when the first of its certificates expires. */
export type CredentialProof = { readonly fault: string } | { readonly fault?: undefined; readonly notAfter: number };

function proveOne(keyPem: string, certPem: string): CredentialProof {
  const chain = (certPem.match(BLOCKS) ?? []).map((each) => new X509Certificate(each));
  const [own] = chain;
  const key = createPrivateKey(keyPem);
  if (own?.checkPrivateKey(key) !== true) return { fault: 'its key is not that of its certificate' };
  if (!isKeyPair(key, own.publicKey)) return { fault: 'its key does not sign' };
  for (const [i, each] of chain.entries()) {
    const issuer = chain[i + 1] ?? (each.subject === each.issuer ? each : undefined);
    if (issuer !== undefined && !isIssuedBy(each, issuer)) return { fault: 'a certificate does not verify under its issuer' };
  }
  return { notAfter: own.validToDate.getTime() };
}

/** Proves keys and certificates, in pairs. */
export function proveCredentials({ key, cert }: Pick<DomainTls, 'key' | 'cert'>): CredentialProof {
  try {
    if (key.length === 0 || key.length !== cert.length) return { fault: 'a key or a certificate is missing' };
    let first = Number.POSITIVE_INFINITY;
    for (const [i, each] of key.entries()) {
      const proof = proveOne(each, cert[i] ?? '');
      if (proof.fault !== undefined) return proof;
      first = Math.min(first, proof.notAfter);
    }
    return { notAfter: first };
  } catch {
    return { fault: 'its key or certificate can not be read' };
  }
}
