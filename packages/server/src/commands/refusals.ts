/** `thingkeep refusals`: reads back, from the running server, which devices were refused and why. */
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { signRequest } from '../api/sign-request.ts';
import { readConfig, readFlags } from '../config/config.ts';
import { type DataFolder, dataFolder } from '../config/data-folder.ts';
import { readEnvironment } from '../config/env.ts';
import { readAccessKeys } from '../config/secrets.ts';
import { ConfigError } from '../config/settings.ts';
import type { RecordedRefusal } from '../refusals/refusals.ts';
import { type RunningServer, runningServer } from './running-server.ts';

const QUERY_FLAGS = ['client-id', 'certificate-id', 'check', 'limit'] as const;
const EXTRA = new Set<string>([...QUERY_FLAGS, 'follow', 'json']);
/** Milliseconds between two looks with --follow. */
const LOOK_EVERY = 1_000;

function ask(folder: DataFolder, server: RunningServer, accountId: string, query: URLSearchParams): Promise<RecordedRefusal[]> {
  const key = readAccessKeys(folder.credentials, accountId)[0];
  if (key === undefined) throw new ConfigError(`credentials file ${folder.credentials} holds no profile`);
  const url = new URL(`/admin/refusals?${query}`, server.url);
  const headers = signRequest({ method: 'GET', url, region: server.region, service: 'thingkeep', now: Date.now(), key });
  const tls = url.protocol === 'https:';
  const options = { headers, ...(tls ? { ca: readFileSync(folder.rootCa) } : {}) };
  return new Promise((resolve, reject) => {
    const sent = (tls ? httpsRequest : httpRequest)(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const body = JSON.parse(Buffer.concat(chunks).toString() || '{}') as { refusals?: RecordedRefusal[]; message?: string };
        if (response.statusCode === 200) resolve(body.refusals ?? []);
        else reject(new ConfigError(`the server answered ${response.statusCode}: ${body.message ?? ''}`));
      });
    });
    sent.on('error', (error) => reject(new ConfigError(`no server answers at ${server.url}: ${error.message}`)));
    sent.end();
  });
}

/** One refusal as a line for people. */
function line(refusal: RecordedRefusal): string {
  const { time, check, reason, clientId, certificateId, sourceIp, policyName, statement, resource } = refusal;
  const who = [
    clientId === undefined ? undefined : `client ${clientId}`,
    certificateId === undefined ? undefined : `certificate ${certificateId.slice(0, 12)}…`,
    `from ${sourceIp}`,
  ];
  const by = policyName === undefined ? '' : ` [policy ${policyName}, statement ${statement}]`;
  const on = resource === undefined ? '' : ` (${resource})`;
  return `${time}  ${check}  ${who.filter((part) => part !== undefined).join(' ')}: ${reason}${on}${by}\n`;
}

export async function refusals(args: readonly string[]): Promise<number> {
  const given = args.map((arg) => (arg === '--follow' || arg === '--json' ? `${arg}=true` : arg));
  const flags = readFlags(given, EXTRA);
  const config = readConfig(new Map([...flags].filter(([name]) => !EXTRA.has(name))), readEnvironment());
  const folder = dataFolder(config.dataDir);
  const server = runningServer(folder);
  const query = new URLSearchParams(
    QUERY_FLAGS.flatMap((name) => (flags.has(name) ? [[name, flags.get(name) ?? ''] satisfies [string, string]] : [])),
  );
  const show = (found: readonly RecordedRefusal[]): void => {
    for (const refusal of found) process.stdout.write(flags.has('json') ? `${JSON.stringify(refusal)}\n` : line(refusal));
  };
  let found = await ask(folder, server, config.accountId, query);
  show(found);
  while (flags.has('follow')) {
    query.set('after', String(found.at(-1)?.sequence ?? query.get('after') ?? 0));
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
    found = await ask(folder, server, config.accountId, query);
    show(found);
  }
  return 0;
}
