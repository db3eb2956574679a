/** A signed request of a command to the running server's administrative API. */
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { signRequest } from '../api/sign-request.ts';
import type { DataFolder } from '../config/data-folder.ts';
import { RootKeys } from '../config/root-keys.ts';
import type { ProfileKey } from '../config/secrets.ts';
import { ConfigError } from '../config/settings.ts';
import { type RunningServer, runningServer } from './running-server.ts';

export interface AskServer {
  readonly folder: DataFolder;
  readonly server: RunningServer;
  readonly key: ProfileKey;
}

/** The running server of a data folder, asked with the first root key of the account. */
export function openServer(folder: DataFolder, accountId: string): AskServer {
  const server = runningServer(folder);
  const keys = new RootKeys(folder.rootKeys);
  const key = keys.of(accountId)[0] ?? keys.values()[0];
  if (key === undefined) throw new ConfigError(`root key file ${folder.rootKeys} holds no key`);
  return { folder, server, key };
}

/** Undefined for a body that is no JSON: another program may answer at the server's port. */
function readBody<T extends object>(bytes: Buffer): (T & { message?: string }) | undefined {
  try {
    return JSON.parse(bytes.toString() || '{}') as T & { message?: string };
  } catch {
    return undefined;
  }
}

/** Resolves with the answer's JSON. Fails with a ConfigError that says what the server answered. */
export function ask<T extends object>({ folder, server, key }: AskServer, method: 'GET' | 'POST', target: string): Promise<T> {
  const url = new URL(target, server.url);
  const headers = signRequest({ method, url, region: server.region, service: 'thingkeep', now: Date.now(), key });
  const tls = url.protocol === 'https:';
  const options = { method, headers, ca: tls ? readFileSync(folder.rootCa) : undefined };
  return new Promise((resolve, reject) => {
    const sent = (tls ? httpsRequest : httpRequest)(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('error', (error) => reject(new ConfigError(`the answer of ${server.url} broke off: ${error.message}`)));
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const body = readBody<T>(Buffer.concat(chunks));
        if (response.statusCode === 200 && body !== undefined) resolve(body);
        else reject(new ConfigError(`the server answered ${response.statusCode}: ${body?.message ?? 'not in JSON'}`));
      });
    });
    sent.on('error', (error) => reject(new ConfigError(`no server answers at ${server.url}: ${error.message}`)));
    sent.end();
  });
}
