/** The operator's own server certificate and key, as text; whether they fit is for the authority to say. */
import { readFileSync } from 'node:fs';
import type { Config } from './config.ts';
import { ConfigError } from './settings.ts';

function read(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`--${flag}: file ${path} can't be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

export const readServerCertificate = ({
  serverCertificate,
  serverKey,
}: Config): { certPem: string; keyPem: string } | undefined =>
  serverCertificate === ''
    ? undefined
    : { certPem: read('server-certificate', serverCertificate), keyPem: read('server-key', serverKey) };
