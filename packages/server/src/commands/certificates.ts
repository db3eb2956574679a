/** `thingkeep certificates`: reads, from the running server, which certificates expire soon. */
import { dataFolder } from '../config/data-folder.ts';
import { ConfigError } from '../config/config-error.ts';
import { escapeText } from '../runtime/escape-text.ts';
import { ask, openServer } from './ask-server.ts';
import { readCommandLine } from './flags.ts';

const OWN_FLAGS = { switches: ['all-accounts', 'json'], values: ['expiring'] };
/** Exit code where a certificate expires in the time that was asked for. */
const FOUND = 1;

/** A certificate as the server lists it. */
interface Expiring {
  readonly type: string;
  readonly certificateArn: string;
  readonly status: string;
  readonly notAfter: string;
}

interface ExpiringPage {
  readonly certificates?: readonly Expiring[];
  readonly next?: string;
}

const line = ({ notAfter, status, type, certificateArn }: Expiring): string =>
  `${escapeText(`${notAfter}  ${status}  ${type}  ${certificateArn}`)}\n`;

function daysOf(flag: string): string {
  const [, days] = /^([1-9]\d{0,4})d$/.exec(flag) ?? [];
  return days ?? fail(flag);
}

const fail = (flag: string): never => {
  throw new ConfigError(`--expiring ${JSON.stringify(flag)} is not a number of days, such as 30d`);
};

export async function expiringCertificates(args: readonly string[]): Promise<number> {
  const { flags, config } = readCommandLine(args, OWN_FLAGS);
  const days = daysOf(flags.get('expiring') ?? '30d');
  const server = openServer(dataFolder(config.dataDir), config.accountId);
  const isAll = flags.has('all-accounts');
  const { accountId } = server.key;
  if (flags.has('account-id') && accountId !== config.accountId)
    throw new ConfigError(`there is no account ${config.accountId}; thingkeep accounts list names those that are there`);
  const query = new URLSearchParams({ 'within-days': days, 'all-accounts': String(isAll) });
  let count = 0;
  for (let next: string | undefined = ''; next !== undefined; ) {
    if (next !== '') query.set('after', next);
    const page: ExpiringPage = await ask<ExpiringPage>(server, 'GET', `/admin/certificates?${query}`);
    for (const each of page.certificates ?? [])
      process.stdout.write(flags.has('json') ? `${escapeText(JSON.stringify(each))}\n` : line(each));
    count += page.certificates?.length ?? 0;
    next = page.next;
  }
  const whose = isAll ? 'any account' : `account ${accountId}`;
  if (count === 0) process.stderr.write(`no certificate of ${whose} expires within ${days} days\n`);
  return count === 0 ? 0 : FOUND;
}
