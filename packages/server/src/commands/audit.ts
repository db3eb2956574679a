/** `thingkeep audit verify`: finds what was changed, removed, reordered or cut off in the audit log. */
import { type AuditState, readAuditState } from '../audit/store.ts';
import { verifyAudit } from '../audit/verify.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import type { DataFolder } from '../config/data-folder.ts';
import { escapeText } from '../runtime/escape-text.ts';
import { ask, openServer } from './ask-server.ts';
import { readCommandLine } from './flags.ts';
import { isRunning } from './running-server.ts';
import { openFolder, openStored } from './stored.ts';

/** A running server holds the data file: it says what the file knows. */
async function stateOf(folder: DataFolder, config: Config): Promise<AuditState> {
  if (isRunning(folder)) return ask<AuditState>(openServer(folder, config.accountId), 'GET', '/admin/audit');
  await using store = await openStored(folder, config);
  return await store.read(readAuditState);
}

/** Exit code 0 when the log is whole, 1 when it is not. */
export async function audit(args: readonly string[]): Promise<number> {
  const [name = '', ...rest] = args;
  if (name !== 'verify') throw new ConfigError('thingkeep audit verify is the only action: thingkeep audit verify [--json]');
  const { flags, config } = readCommandLine(rest, { switches: ['json'] });
  const folder = openFolder(config);
  // The state first: what is written while the files are read stands behind it.
  const found = verifyAudit(folder.audit, await stateOf(folder, config));
  if (found === undefined) throw new ConfigError(`the audit log ${folder.audit} has no key: nothing can be verified`);
  if (flags.has('json')) process.stdout.write(`${JSON.stringify(found)}\n`);
  else {
    for (const fault of found.faults) process.stdout.write(`${escapeText(fault)}\n`);
    const range = found.lines === 0 ? 'no line' : `${found.lines} lines, numbers ${found.first} to ${found.last}`;
    process.stdout.write(`${found.faults.length === 0 ? 'whole' : 'DAMAGED'}: ${range}\n`);
  }
  return found.faults.length === 0 ? 0 : 1;
}
