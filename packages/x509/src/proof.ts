/** Proofs of keys and certificates by use: a damaged key may still be read, and what it signs does not verify. */
import { type KeyObject, randomBytes, sign, verify, X509Certificate } from 'node:crypto';

/** Whether what the private key signs is verified by the public key. */
export function isKeyPair(privateKey: KeyObject, publicKey: KeyObject): boolean {
  const sample = randomBytes(32);
  try {
    return verify('sha256', sample, publicKey, sign('sha256', sample, privateKey));
  } catch {
    return false;
  }
}

/** Whether the first certificate names the second one's subject as its issuer, and is signed by its key. */
export function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    return false;
  }
}

/**
 * Whether a chain (DER, own certificate first) holds: its key signs, each certificate is issued by the next, and the last
 * one by `above`, where that is given.
 */
export function isProven(privateKey: KeyObject, chain: readonly Buffer[], above?: Buffer): boolean {
  try {
    const certificates = [...chain, ...(above === undefined ? [] : [above])].map((each) => new X509Certificate(each));
    const [own] = certificates;
    if (own === undefined || !own.checkPrivateKey(privateKey) || !isKeyPair(privateKey, own.publicKey)) return false;
    return certificates.every((each, i) => {
      const issuer = certificates[i + 1];
      // The issuer of the last one is not known, unless it is its own.
      return isIssuedBy(each, issuer ?? each) || (issuer === undefined && each.subject !== each.issuer);
    });
  } catch {
    return false;
  }
}
