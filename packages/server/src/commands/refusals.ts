/** `thingkeep refusals`: reads back, from the running server, which devices were refused and why. */
import { dataFolder } from '../config/data-folder.ts';
import type { RecordedRefusal } from '../refusals/refusals.ts';
import { escapeText, quoteUnlessPlain } from '../runtime/escape-text.ts';
import { ask, openServer } from './ask-server.ts';
import { readCommandLine } from './flags.ts';

const QUERY_FLAGS = ['client-id', 'certificate-id', 'check', 'limit'] as const;
const OWN_FLAGS = { switches: ['follow', 'json'], values: QUERY_FLAGS };
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

export async function refusals(args: readonly string[]): Promise<number> {
  const { flags, config } = readCommandLine(args, OWN_FLAGS);
  const server = openServer(dataFolder(config.dataDir), config.accountId);
  const query = new URLSearchParams(
    QUERY_FLAGS.flatMap((name) => (flags.has(name) ? [[name, flags.get(name) ?? ''] satisfies [string, string]] : [])),
  );
  const show = (found: readonly RecordedRefusal[]): void => {
    for (const refusal of found) process.stdout.write(flags.has('json') ? jsonLine(refusal) : line(refusal));
  };
  const read = async (): Promise<readonly RecordedRefusal[]> =>
    (await ask<{ refusals?: RecordedRefusal[] }>(server, 'GET', `/admin/refusals?${query}`)).refusals ?? [];
  let found = await read();
  show(found);
  while (flags.has('follow')) {
    query.set('after', String(found.at(-1)?.sequence ?? query.get('after') ?? 0));
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
    found = await read();
    show(found);
  }
  return 0;
}
