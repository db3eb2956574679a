/** `thingkit provision`: boards from their keys to registered things, one or a tray of them, gone on with after a cut. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TemplateName, TEMPLATES } from '../ceremony/templates.ts';
import type { SecureElement } from '../elements/contract.ts';
import { lockFolder } from '../files/folder-lock.ts';
import { replaceFile } from '../files/replace-file.ts';
import { openElement } from '../open-element.ts';
import { serviceIssuer, signerIssuer } from '../provisioning/issuers.ts';
import { Journal, JOURNAL_NAME } from '../provisioning/journal.ts';
import { manifestOf } from '../provisioning/manifest.ts';
import {
  type BoardPlan,
  type CertificateIssuer,
  PROVISIONING_PHASES,
  type ProvisioningPhase,
  type ThingRegistry,
} from '../provisioning/provision-board.ts';
import { provisionTray, type TrayResult } from '../provisioning/provision-tray.ts';
import { folderStorage, storageFor } from '../provisioning/storage-kinds.ts';
import type { BoardSettings } from '../zero-touch/metadata.ts';
import { attachThing, certificateFromCsr, knownCertificate } from '../service/iot-service.ts';
import { type Command, type CommandResult, EXIT, type Given, KitError, type Surroundings } from './command.ts';
import { faultOf } from './fault.ts';
import { clientOf, SERVICE_FLAGS } from './service-flags.ts';
import { countedTray, MOST_BOARDS, readTray, type TrayBoard } from './tray-file.ts';

const MANIFEST = 'manifest.json';

/** The name of a thing by a pattern: `{serial}`, `{ski}` and `{board}` stand for what they say. */
const thingNamer =
  (pattern: string, board: TrayBoard): BoardPlan['thingName'] =>
  ({ serialNumber, subjectKeyIdentifier }) =>
    (board.thingName ?? pattern)
      .replaceAll('{serial}', serialNumber)
      .replaceAll('{ski}', subjectKeyIdentifier)
      .replaceAll('{board}', board.board);

function boardsOf(given: Given): TrayBoard[] {
  const [tray, element] = [given.text('tray'), given.text('element')];
  if ((tray === undefined) === (element === undefined)) throw new KitError('usage', 'either --element or --tray is needed');
  if (tray !== undefined) return readTray(tray);
  return countedTray(element ?? '', given.number('count', 1, { least: 1, most: MOST_BOARDS }));
}

interface Issuing extends AsyncDisposable {
  readonly issuer: CertificateIssuer;
  readonly signerCertificate: string | undefined;
}

/** Who issues: the signer that the flags name, or AWS IoT. */
async function issuing(given: Given, surroundings: Surroundings): Promise<Issuing> {
  const [uri, file] = [given.text('signer'), given.text('signer-certificate')];
  const subject = given.text('subject') ?? '/CN={thing}';
  if ((uri === undefined) !== (file === undefined))
    throw new KitError('usage', '--signer and --signer-certificate go together: the key, and its certificate');
  if (uri === undefined || file === undefined) {
    const client = clientOf(given, surroundings);
    const issuer = serviceIssuer(subject, (csr) => certificateFromCsr(client, csr));
    return { issuer, signerCertificate: undefined, async [Symbol.asyncDispose]() {} };
  }
  const element: SecureElement = await openElement(uri);
  try {
    const certificate = readFileSync(file, 'utf8');
    const rootFile = given.text('root-certificate');
    const root = rootFile === undefined ? undefined : readFileSync(rootFile, 'utf8');
    const template = (given.text('template') ?? 'standard') as TemplateName;
    const years = given.has('years') ? given.number('years', 0, { least: 1, most: 100 }) : undefined;
    const { clock } = surroundings;
    const issuer = await signerIssuer({ element, key: element.defaultKey, certificate, root, template, subject, years, clock });
    return { issuer, signerCertificate: certificate, [Symbol.asyncDispose]: () => element[Symbol.asyncDispose]() };
  } catch (error) {
    await element[Symbol.asyncDispose]();
    throw error;
  }
}

function registryOf(given: Given, surroundings: Surroundings, signerCertificate: string | undefined): ThingRegistry | undefined {
  if (given.has('no-register')) return undefined;
  const client = clientOf(given, surroundings);
  const policyNames = given.all('policy');
  const thingTypeName = given.text('thing-type');
  return {
    async register({ thingName, certificate, certificateId }) {
      const id = certificateId ?? (await knownCertificate(client, certificate, signerCertificate));
      await attachThing(client, id, { thingName, thingTypeName, policyNames });
      return id;
    },
  };
}

/** What boards of the Zero Touch kit keep besides: host and Wi-Fi. */
function settingsOf(given: Given): Partial<BoardSettings> {
  const [hostName, ssid, file] = [given.text('host-name'), given.text('wifi-ssid'), given.text('wifi-password-file')];
  if (ssid === undefined && file !== undefined) throw new KitError('usage', '--wifi-password-file goes with --wifi-ssid');
  const password = file === undefined ? '' : readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  return { ...(hostName !== undefined && { hostName }), ...(ssid !== undefined && { wifi: { ssid, password } }) };
}

type Times = Map<ProvisioningPhase, number[]>;

const median = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length / 2)] ?? 0;
const rounded = (milliseconds: number): number => Math.round(milliseconds * 10) / 10;

/** Median and sum of each phase, in milliseconds, over the boards that went through it now. */
const timesOf = (times: Times) =>
  PROVISIONING_PHASES.map((phase) => {
    const sorted = (times.get(phase) ?? []).toSorted((a, b) => a - b);
    return {
      phase,
      boards: sorted.length,
      median: rounded(median(sorted)),
      sum: rounded(sorted.reduce((sum, each) => sum + each, 0)),
    };
  });

function report({ done, failed, left }: TrayResult, times: Times, folder: string): CommandResult {
  const phases = timesOf(times);
  const failures = failed.map(({ board, error }) => {
    const fault = faultOf(error);
    if (fault === undefined) throw error;
    return { board, code: fault.code, message: fault.message, hint: fault.hint };
  });
  const boards = done.map(({ board, serialNumber, thingName, certificateId = '' }) => ({
    board,
    serialNumber,
    thingName,
    certificateId,
  }));
  const [only] = failed;
  const isWhole = failed.length === 0 && left === 0;
  const exitCode = isWhole
    ? EXIT.done
    : done.length > 0 || left > 0 || failed.length > 1
      ? EXIT.partial
      : faultOf(only?.error)?.exitCode;
  return {
    data: { done: boards, failed: failures, left, phases, manifest: join(folder, MANIFEST) },
    text: [
      ...(boards.length > 20
        ? []
        : boards.map(({ board, thingName, certificateId }) => `done    ${board}  ${thingName}  ${certificateId}`)),
      ...failures.map(({ board, message, hint }) => `FAILED  ${board}  ${message}${hint === undefined ? '' : ` (${hint})`}`),
      `${done.length} done, ${failed.length} failed, ${left} left; ${join(folder, MANIFEST)}`,
      ...phases.filter((each) => each.boards > 0).map((each) => `  ${each.phase.padEnd(12)} median ${each.median} ms`),
    ].join('\n'),
    exitCode,
  };
}

async function provision(given: Given, surroundings: Surroundings): Promise<CommandResult> {
  const boards = boardsOf(given);
  const pattern = given.text('thing-name') ?? '{ski}';
  if (given.has('dry-run'))
    return {
      data: { dryRun: true, boards: boards.map(({ board, element }) => ({ board, element })), thingName: pattern },
      text: `would provision ${boards.length} boards: ${given.has('keep-key') ? 'the key that is there' : 'a new key'}, certificate, write, verify${given.has('no-register') ? '' : ', register'}`,
    };
  const folder = given.text('folder') ?? 'provisioning';
  mkdirSync(folder, { recursive: true });
  using _lock = lockFolder(folder);
  using journal = new Journal(join(folder, JOURNAL_NAME));
  await using source = await issuing(given, surroundings);
  const [certificates, settings] = [given.text('certificates'), settingsOf(given)];
  const times: Times = new Map(PROVISIONING_PHASES.map((phase) => [phase, []]));
  const begin = surroundings.clock.monotonic();
  const result = await provisionTray(
    {
      journal,
      clock: surroundings.clock,
      issuer: source.issuer,
      registry: registryOf(given, surroundings, source.signerCertificate),
      storageFor: (element, key, thingName) =>
        certificates === undefined ? storageFor(element, key, settings) : folderStorage(certificates, thingName),
      timed: (phase, milliseconds) => times.get(phase)?.push(milliseconds),
    },
    boards.map(
      (board): BoardPlan => ({
        board: board.board,
        open: () => openElement(board.element),
        key: board.key ?? given.text('key'),
        thingName: thingNamer(pattern, board),
        keepsKey: given.has('keep-key'),
      }),
    ),
    {
      parallel: given.number('parallel', 4, { least: 1, most: 64 }),
      signal: surroundings.signal,
      progress: (done, failed, all) => {
        const rate = ((done + failed) * 1000) / (surroundings.clock.monotonic() - begin);
        const filled = Math.round((20 * (done + failed)) / all);
        surroundings.progress(
          `[${'#'.repeat(filled).padEnd(20, '.')}] ${done + failed}/${all}, ${failed} failed, ${rate.toFixed(1)}/s`,
        );
      },
    },
  );
  replaceFile(join(folder, MANIFEST), `${JSON.stringify(manifestOf(journal.all()), undefined, 2)}\n`, 0o644);
  return report(result, times, folder);
}

export const provisionCommand: Command = {
  name: 'provision',
  summary: `Provision boards: key, certificate, write it, read it back and verify, register the thing.
A tray that was cut off goes on where it was: run the same command again.`,
  flags: [
    { name: 'element', short: 'e', value: 'URI', what: "a board's element; with --count, {n} stands for 1, 2, ..." },
    { name: 'count', value: 'N', what: 'boards whose elements --element names' },
    { name: 'tray', value: 'FILE', what: 'a line of JSON for each board: board, element, key, thingName', isPath: true },
    { name: 'key', short: 'k', value: 'NAME', what: "the key in the element; else the element's usual one" },
    { name: 'keep-key', what: 'keep the key where there is one, and make none anew' },
    { name: 'thing-name', value: 'PATTERN', what: '{serial}, {ski}, {board} stand for what they say; else {ski}' },
    { name: 'subject', short: 's', value: 'PATTERN', what: 'of the certificates, {thing} stands for the name; else /CN={thing}' },
    { name: 'signer', value: 'URI', what: "the element of the factory's signer; else AWS IoT issues the certificates" },
    { name: 'signer-certificate', value: 'FILE', what: 'the certificate of the signer, PEM', isPath: true },
    { name: 'root-certificate', value: 'FILE', what: 'of the root above the signer, where the element keeps it', isPath: true },
    { name: 'template', value: 'TEMPLATE', what: 'of certificates that the signer issues', oneOf: TEMPLATES },
    { name: 'years', value: 'N', what: 'that these are valid; else they do not end' },
    { name: 'certificates', value: 'FOLDER', what: 'keep the certificates in files, and not in the elements', isPath: true },
    { name: 'host-name', value: 'HOST', what: 'that boards of the Zero Touch kit connect to' },
    { name: 'wifi-ssid', value: 'SSID', what: 'that these use' },
    { name: 'wifi-password-file', value: 'FILE', what: 'a file with its password', isPath: true },
    { name: 'policy', value: 'NAME', what: 'attached to each certificate; may be given again', isRepeated: true },
    { name: 'thing-type', value: 'NAME', what: 'of the things' },
    { name: 'no-register', what: 'register nothing: the devices do it themselves when they connect' },
    { name: 'folder', value: 'FOLDER', what: 'journal and manifest; else provisioning', isPath: true },
    { name: 'parallel', value: 'N', what: 'boards at a time; else 4' },
    ...SERVICE_FLAGS,
  ],
  examples: [
    'thingkit provision --element atecc608:/dev/i2c-1 --thing-name "lamp-{serial}" --policy lamps',
    'thingkit provision --element "atecc608:virtual:boards/{n}.json" --count 1000 --signer file:ceremony/signer-ca.key --signer-certificate ceremony/signer-ca.crt',
  ],
  isWriting: true,
  run: provision,
};
