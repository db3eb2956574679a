/** `thingkeep check`: reads all that is stored and says what is damaged; with `--repair` it saves what can be saved. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { COLLECTIONS } from '../collections.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import { type DataFolder, dataFolder } from '../config/data-folder.ts';
import { systemClock } from '../runtime/clock.ts';
import { escapeText } from '../runtime/escape-text.ts';
import { type Damage, nameOfDamage } from '../store/damage.ts';
import { checkFile, type FileReport, isLossless, isWhole, type RepairedFile, repairFile } from '../store/sqlite/check-file.ts';
import { copyFolder } from './backup.ts';
import { checkParts } from './check-parts.ts';
import { readCommandLine } from './flags.ts';
import { isAlive, isRunning } from './running-server.ts';
import { checkOwner, openFolder } from './stored.ts';

/** Signals that end a command. */
const ENDS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const say = (text: string): void => void process.stdout.write(`${escapeText(text)}\n`);
const named = (list: readonly Damage[], text: string): string[] => list.map((damage) => `${nameOfDamage(damage)}: ${text}`);

/** Lines for a person: one for each fault. */
function linesOf({ structure, findings }: FileReport): string[] {
  const lines = structure.map((fault) => (/^(data file|the log) /.test(fault) ? fault : `data file: ${fault}`));
  if (findings === undefined) return lines;
  lines.push(...named(findings.damaged, 'its value is damaged; it is refused, and the server serves all others'));
  lines.push(...named(findings.misnamed, 'its key is damaged; the server does not start, for the record may be any'));
  for (const name of findings.misplaced) lines.push(`${name}: pages are not in their order; the server does not start`);
  for (const { name, expected, found } of findings.miscounted)
    lines.push(
      expected?.count === found.count
        ? `${name}: ${found.count} are there, at least one of an older state; the server does not start`
        : `${name}: ${found.count} are there instead of ${expected?.count ?? 0}; the server does not start`,
    );
  for (const name of findings.misindexed) lines.push(`${name}: index entries are damaged; the next start derives them anew`);
  for (const name of findings.notes) lines.push(`${name}: the count is damaged; the next start takes it anew`);
  return lines;
}

const progress = (done: number, of: number): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${of}`);
};

interface Report {
  readonly file: FileReport;
  /** Lines on the other parts of the folder. */
  readonly parts: readonly string[];
}

const isSound = ({ file, parts }: Report): boolean => isWhole(file) && parts.length === 0;

async function report(folder: DataFolder, config: Config): Promise<Report> {
  const file = await checkFile({ path: folder.dataFile, collections: COLLECTIONS, region: config.region }, progress);
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  return { file, parts: await checkParts(folder, config, isWhole(file) && file.findings !== undefined) };
}

/** The server's own user may often not write beside the data folder (`/var/lib`). */
function makeCopy(beginning: string): string {
  try {
    return mkdtempSync(beginning);
  } catch (error) {
    throw new ConfigError(
      `while a server runs, its data folder is copied beside it to be checked, and that can't be (${(error as Error).message}): run this command as root, or stop the server`,
    );
  }
}

/** Reads a backup of the running server, which it takes beside the data folder and removes. What it says is of the data folder. */
async function reportLive(folder: DataFolder, config: Config): Promise<Report> {
  const name = `${resolve(folder.path)}.check-`;
  removeLeftovers(name);
  const target = makeCopy(`${name}${process.pid}-`);
  // The server may be writing into it.
  const remove = (): void => rmSync(target, { recursive: true, force: true, maxRetries: 10 });
  const stop = (signal: NodeJS.Signals): void => {
    remove();
    process.kill(process.pid, signal);
  };
  for (const signal of ENDS) process.once(signal, stop);
  try {
    await copyFolder(folder, config, target);
    const { file, parts } = await report(dataFolder(target), config);
    const shown = (line: string): string => line.replaceAll(target, folder.path);
    return { file: { ...file, structure: file.structure.map(shown) }, parts: parts.map(shown) };
  } finally {
    remove();
    for (const signal of ENDS) process.off(signal, stop);
  }
}

/** Removes what checks have left that were killed: each is a copy with all keys. */
function removeLeftovers(name: string): void {
  for (const entry of readdirSync(dirname(name), { withFileTypes: true })) {
    const path = join(dirname(name), entry.name);
    const [, pid] = /^(\d+)-[A-Za-z0-9]{6}$/.exec(path.startsWith(name) ? path.slice(name.length) : '') ?? [];
    if (pid !== undefined && entry.isDirectory() && !isAlive(Number(pid))) rmSync(path, { recursive: true, force: true });
  }
}

/** Of what a lost transaction changed. */
const AS_BEFORE = 'is as it was before: a certificate that was revoked is active again';

function tellRepair(repaired: RepairedFile, keptName: string): void {
  const { restored, lost, missing, stale, kept, log, lostCommits, keptLog } = repaired;
  for (const damage of restored) say(`${nameOfDamage(damage)}: restored, one bit had changed`);
  for (const damage of lost) say(`${nameOfDamage(damage)}: LOST`);
  for (const { name, count } of missing) say(`${name}: ${count} LOST without a name`);
  for (const name of stale) say(`${name}: at least one is of an older state, what it was since then is LOST`);
  for (const { event, offset, lost: behind } of log)
    if (event === 'log-mended') say(`log: a wrong byte at ${offset} is mended`);
    else if (event === 'log-cut')
      say(`log: ${behind} acknowledged transactions from byte ${offset} on LOST: what they changed ${AS_BEFORE}`);
  if (lostCommits > 0 && log.every(({ event }) => event !== 'log-cut'))
    say(`data file: ${lostCommits} acknowledged commits LOST: what they changed ${AS_BEFORE}`);
  say(
    `repaired: ${kept} records and rows kept, ${restored.length} of them restored; the damaged file is ${keptName}${keptLog === undefined ? '' : `, its log ${keptLog}`}`,
  );
}

/** Exit code 0 when all is whole or repaired without a loss, 1 otherwise. */
export async function check(args: readonly string[]): Promise<number> {
  const { flags, config } = readCommandLine(args, { switches: ['json', 'repair'] });
  const folder = openFolder(config);
  if (!existsSync(folder.dataFile)) throw new ConfigError(`there is no data file ${folder.dataFile}`);
  const isLive = isRunning(folder);
  if (isLive && flags.has('repair')) throw new ConfigError('a server runs on this data folder: stop it before a repair');
  if (!isLive) checkOwner(folder);
  const found = isLive ? await reportLive(folder, config) : await report(folder, config);
  const json = flags.has('json');
  if (!json) for (const line of [...linesOf(found.file), ...found.parts]) say(line);
  if (isWhole(found.file) || !found.file.repairable || !flags.has('repair')) {
    if (json) say(JSON.stringify({ whole: isSound(found), ...found.file, findings: shown(found.file), parts: found.parts }));
    else say(summary(found));
    return isSound(found) ? 0 : 1;
  }
  const keptName = `${folder.dataFile}.damaged-${new Date(systemClock.now()).toISOString().replaceAll(':', '-')}`;
  const repaired = await repairFile(folder.dataFile, COLLECTIONS, keptName);
  if (json) say(JSON.stringify({ whole: false, repaired, keptName, parts: found.parts }));
  else tellRepair(repaired, keptName);
  return isLossless(repaired) && found.parts.length === 0 ? 0 : 1;
}

/** Findings without the tallies, which are of no use to a program. */
const shown = ({ findings }: FileReport): object | undefined =>
  findings === undefined ? undefined : { ...findings, tallies: undefined };

function summary({ file: found, parts }: Report): string {
  if (parts.length > 0 && isWhole(found)) return 'DAMAGED: restore what is named from a backup';
  if (!found.repairable && !isWhole(found))
    return 'DAMAGED: nothing can be saved from the data file: restore the data folder from a backup';
  if (!isWhole(found)) return 'DAMAGED: thingkeep check --repair saves what can be saved; the damaged file is kept';
  if (found.findings === undefined)
    return `whole, as far as form ${found.form} can tell: it has no checksums; a start brings it to the newest`;
  let count = 0;
  for (const tally of found.findings.tallies.values()) count += tally.count;
  return `whole: ${count} records and rows`;
}
