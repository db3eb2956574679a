/** `thingkeep refusals`: reads back, from the running server, which devices were refused and why. */
import { dataFolder } from '../config/data-folder.ts';
import { ConfigError } from '../config/config-error.ts';
import { type RecordedRefusal, REFUSAL_CHECKS } from '../refusals/refusals.ts';
import { escapeText, quoteUnlessPlain } from '../runtime/escape-text.ts';
import { ask, openServer } from './ask-server.ts';
import { readCommandLine } from './flags.ts';

const QUERY_FLAGS = ['client-id', 'certificate-id', 'check', 'limit'] as const;
const OWN_FLAGS = { switches: ['follow', 'json'], values: QUERY_FLAGS };
const CERTIFICATE_ID = /^[0-9a-f]{8,64}…?$/i;
/** Milliseconds between two looks with --follow. */
const LOOK_EVERY = 1_000;

/** One refusal as a line for people. */
function line(refusal: RecordedRefusal): string {
  const { time, check, reason, clientId, certificateId, principal, sourceIp, policyName, statement, resource } = refusal;
  const who = [
    clientId === undefined ? undefined : `client ${quoteUnlessPlain(clientId)}`,
    certificateId === undefined ? principal : `certificate ${certificateId.slice(0, 12)}…`,
    sourceIp === undefined ? undefined : `from ${sourceIp}`,
  ];
  const by = policyName === undefined ? '' : ` [policy ${policyName}, statement ${statement}]`;
  const on = resource === undefined ? '' : ` (${resource})`;
  const peer = who.filter((part) => part !== undefined).join(' ');
  const text = `${time}  ${check}  ${peer === '' ? '' : `${peer}: `}${reason}${on}${by}`;
  return `${escapeText(text)}\n`;
}

/** A JSON text may hold DEL, C1 and bidirectional controls as they are: they are escaped as JSON allows. */
const jsonLine = (refusal: RecordedRefusal): string => `${escapeText(JSON.stringify(refusal))}\n`;

/** A count, or the beginning of an id as a line prints it. Fails with a ConfigError for what would find nothing. */
function checkFlags(flags: ReadonlyMap<string, string>): void {
  const { check, limit, id } = { check: flags.get('check'), limit: flags.get('limit'), id: flags.get('certificate-id') };
  if (check !== undefined && !REFUSAL_CHECKS.some((known) => known === check))
    throw new ConfigError(`--check ${JSON.stringify(check)} is none of ${REFUSAL_CHECKS.join(', ')}`);
  if (limit !== undefined && !/^[1-9]\d{0,14}$/.test(limit))
    throw new ConfigError(`--limit ${JSON.stringify(limit)} is not a number of records from 1`);
  if (id !== undefined && !CERTIFICATE_ID.test(id))
    throw new ConfigError(
      `--certificate-id ${JSON.stringify(id)} is not a certificate's id of 64 digits, or at least its first 8`,
    );
}

/** What was asked for and not found, such as `no refusals of account 000000000000 with --check tls`, without the line's end. */
function nothingFound(accountId: string, query: URLSearchParams): string {
  const filters = [...query]
    .filter(([name]) => name !== 'limit' && name !== 'after')
    .map(([name, value]) => `--${name} ${value}`);
  const narrowed = filters.length === 0 ? '' : ` with ${filters.join(' ')}`;
  return `no refusals of account ${accountId}${narrowed} since the server's start; other accounts: --account-id ID`;
}

export async function refusals(args: readonly string[]): Promise<number> {
  const { flags, config } = readCommandLine(args, OWN_FLAGS);
  checkFlags(flags);
  const server = openServer(dataFolder(config.dataDir), config.accountId);
  const { accountId } = server.key;
  if (flags.has('account-id') && accountId !== config.accountId)
    throw new ConfigError(`there is no account ${config.accountId}; thingkeep accounts list names those that are there`);
  const query = new URLSearchParams(
    QUERY_FLAGS.flatMap((name): [string, string][] => {
      const value = flags.get(name);
      return value === undefined ? [] : [[name, name === 'certificate-id' ? value.replace('…', '') : value]];
    }),
  );
  const show = (found: readonly RecordedRefusal[]): void => {
    for (const refusal of found) process.stdout.write(flags.has('json') ? jsonLine(refusal) : line(refusal));
  };
  const read = async (): Promise<readonly RecordedRefusal[]> =>
    (await ask<{ refusals?: RecordedRefusal[] }>(server, 'GET', `/admin/refusals?${query}`)).refusals ?? [];
  let found = await read();
  show(found);
  if (found.length === 0) process.stderr.write(`${escapeText(nothingFound(accountId, query))}\n`);
  while (flags.has('follow')) {
    query.set('after', String(found.at(-1)?.sequence ?? query.get('after') ?? 0));
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
    found = await read();
    show(found);
  }
  return 0;
}
