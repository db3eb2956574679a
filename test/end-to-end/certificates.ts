/** Certificates that this server did not issue, made by openssl. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { succeed } from './run-command.ts';

export interface KeyPair {
  readonly certPem: string;
  readonly keyPem: string;
}

/** A self-signed P-256 certificate; `validity` is its first and last instant, as openssl writes them. */
export async function selfSigned(commonName: string, validity?: readonly [string, string]): Promise<KeyPair> {
  const folder = mkdtempSync(join(tmpdir(), 'thingkeep-certificate-'));
  const at = (name: string): string => join(folder, name);
  try {
    const make = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      at('key.pem'),
      '-subj',
      `/CN=${commonName}`,
    ];
    if (validity === undefined) await succeed('openssl', ['req', '-x509', ...make, '-out', at('cert.pem'), '-days', '1']);
    else {
      // Only `openssl ca` sets both ends of the validity in every release.
      await succeed('openssl', ['req', '-new', ...make, '-out', at('csr.pem')]);
      writeFileSync(at('index.txt'), '');
      writeFileSync(
        at('ca.cnf'),
        `[ca]\ndefault_ca = own\n[own]\nnew_certs_dir = ${folder}\ndatabase = ${at('index.txt')}\ndefault_md = sha256\npolicy = any\nrand_serial = yes\n[any]\ncommonName = supplied\n`,
      );
      const [from, to] = validity;
      const sign = ['-selfsign', '-keyfile', at('key.pem'), '-in', at('csr.pem'), '-out', at('cert.pem'), '-notext'];
      await succeed('openssl', ['ca', '-batch', '-config', at('ca.cnf'), ...sign, '-startdate', from, '-enddate', to]);
    }
    return { certPem: readFileSync(at('cert.pem'), 'utf8'), keyPem: readFileSync(at('key.pem'), 'utf8') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
