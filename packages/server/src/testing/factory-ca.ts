/** Authorities of others for tests: what a factory's own CA would sign. */
import type { KeyObject } from 'node:crypto';
import { commonNameOnly } from '@thingkeep/x509/names.ts';
import { toPem } from '@thingkeep/x509/pem.ts';
import { authorityProfile, deviceProfile } from '@thingkeep/x509/profiles.ts';
import { publicKeyOf } from '@thingkeep/x509/public-key.ts';
import { newEcKey } from '@thingkeep/x509/testing/csrs.ts';
import { issueCertificate } from '../authority/issue.ts';

export const NOW = Date.UTC(2026, 10, 20, 12);
const YEAR = 365 * 86_400_000;

export interface FactoryCa {
  readonly pem: string;
  readonly key: KeyObject;
  readonly subject: Buffer;
}

/** A self-signed CA, or an intermediate below `above`. */
export async function factoryCa(
  name: string,
  options: { key?: KeyObject; above?: FactoryCa; now?: number; authority?: boolean } = {},
): Promise<FactoryCa> {
  const { key = newEcKey(), above, now = NOW, authority = true } = options;
  const subject = commonNameOnly(name);
  const profile = authorityProfile(subject, publicKeyOf(key), now, now + YEAR);
  const signer = above ?? { key, subject };
  const described = authority ? profile : deviceProfile(subject, publicKeyOf(key), now);
  const der = await issueCertificate(described, {
    name: signer.subject,
    publicKey: publicKeyOf(signer.key),
    privateKey: signer.key,
  });
  return { pem: toPem('CERTIFICATE', der), key, subject };
}

/** A certificate below the CA, made out to `name`; the profile is a device's. */
export async function signedBy(ca: FactoryCa, name: string, options: { key?: KeyObject; now?: number } = {}): Promise<string> {
  const profile = deviceProfile(commonNameOnly(name), publicKeyOf(options.key ?? newEcKey()), options.now ?? NOW);
  return toPem(
    'CERTIFICATE',
    await issueCertificate(profile, { name: ca.subject, publicKey: publicKeyOf(ca.key), privateKey: ca.key }),
  );
}

/** One that ends a day after `now`. */
export async function shortLived(ca: FactoryCa, name: string, now: number): Promise<string> {
  const profile = { ...deviceProfile(commonNameOnly(name), publicKeyOf(ca.key), now), notAfter: now + 86_400_000 };
  return toPem(
    'CERTIFICATE',
    await issueCertificate(profile, { name: ca.subject, publicKey: publicKeyOf(ca.key), privateKey: ca.key }),
  );
}
