/** Proves what is served for a host name: the key signs what its certificate verifies, and the chain holds. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIssuedBy, isKeyPair } from '@thingkeep/x509/proof.ts';
import type { DomainTls } from './directory.ts';

const BLOCKS = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function faultOfOne(keyPem: string, certPem: string): string | undefined {
  const chain = (certPem.match(BLOCKS) ?? []).map((each) => new X509Certificate(each));
  const [own] = chain;
  const key = createPrivateKey(keyPem);
  if (own?.checkPrivateKey(key) !== true) return 'its key is not that of its certificate';
  if (!isKeyPair(key, own.publicKey)) return 'its key does not sign';
  for (const [i, each] of chain.entries()) {
    const issuer = chain[i + 1] ?? (each.subject === each.issuer ? each : undefined);
    if (issuer !== undefined && !isIssuedBy(each, issuer)) return 'a certificate does not verify under its issuer';
  }
  return undefined;
}

/** Why these keys and certificates must not be served; undefined where all of them hold. */
export function credentialFault({ key, cert }: Pick<DomainTls, 'key' | 'cert'>): string | undefined {
  try {
    if (key.length === 0 || key.length !== cert.length) return 'a key or a certificate is missing';
    for (const [i, each] of key.entries()) {
      const fault = faultOfOne(each, cert[i] ?? '');
      if (fault !== undefined) return fault;
    }
    return undefined;
  } catch {
    return 'its key or certificate can not be read';
  }
}
