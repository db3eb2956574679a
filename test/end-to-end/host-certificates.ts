/** Certificates of host names below an authority of their own, as an operator brings them: made by openssl, on disk. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { succeed } from './run-command.ts';

export interface HostCertificate {
  readonly certificate: string;
  readonly privateKey: string;
  /** The authority's certificate: chain and trust anchor at once. */
  readonly chain: string;
  /** SHA-256 of the DER form as openssl prints it, `AB:CD:...`. */
  readonly fingerprint: string;
}

const P256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Where to leave the certificates, and how to be rid of them: `using folder = certificateFolder()`. */
export function certificateFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'thingkeep-hosts-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** A certificate for these names; the paths of its files. */
export async function certifyHost(folder: string, ...hostNames: string[]): Promise<HostCertificate> {
  const at = (name: string): string => join(folder, `${hostNames[0]?.replace('*', 'any')}-${name}`);
  const [certificate, privateKey, chain] = [at('cert.pem'), at('key.pem'), at('ca.pem')];
  const authority = ['-keyout', at('ca.key'), '-out', chain, '-subj', `/CN=CA of ${hostNames[0]}`, '-days', '2'];
  await succeed('openssl', ['req', '-x509', ...P256, ...authority]);
  await succeed('openssl', [
    'req',
    '-new',
    ...P256,
    '-keyout',
    privateKey,
    '-out',
    at('csr.pem'),
    '-subj',
    `/CN=${hostNames[0]}`,
  ]);
  writeFileSync(at('ext'), `subjectAltName=${hostNames.map((name) => `DNS:${name}`).join(',')}\nextendedKeyUsage=serverAuth\n`);
  const sign = ['-req', '-in', at('csr.pem'), '-CA', chain, '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '1'];
  await succeed('openssl', ['x509', ...sign, '-extfile', at('ext'), '-out', certificate]);
  const printed = await succeed('openssl', ['x509', '-in', certificate, '-noout', '-fingerprint', '-sha256']);
  return { certificate, privateKey, chain, fingerprint: printed.trim().split('=')[1] ?? '' };
}

export const pemOf = ({ certificate, privateKey, chain }: HostCertificate) => ({
  Certificate: readFileSync(certificate),
  PrivateKey: readFileSync(privateKey),
  CertificateChain: readFileSync(chain),
});
