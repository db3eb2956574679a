/** `thingkit manifest`: what a folder's provisioning has made, in one of the forms that others read. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from '../files/replace-file.ts';
import { openElement } from '../open-element.ts';
import { type ProvisioningState, JOURNAL_NAME, readJournal } from '../provisioning/journal.ts';
import { bulkLines, manifestOf, microchipManifest } from '../provisioning/manifest.ts';
import { type Command, type Given, KitError } from './command.ts';

const FORMS = ['thingkit', 'aws-bulk', 'microchip'] as const;
type Form = (typeof FORMS)[number];

const pretty = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

async function microchip(given: Given, states: readonly ProvisioningState[]): Promise<string> {
  const [uri, file] = [given.text('signer'), given.text('signer-certificate')];
  if (uri === undefined || file === undefined)
    throw new KitError('usage', 'each entry of the microchip form is signed: --signer and --signer-certificate are needed');
  await using element = await openElement(uri);
  const certificate = readFileSync(file, 'utf8');
  const organization = given.text('organization') ?? 'Example Inc';
  return pretty(await microchipManifest(states, { element, key: element.defaultKey, certificate, organization }));
}

const WRITERS: Readonly<Record<Form, (given: Given, states: readonly ProvisioningState[]) => Promise<string>>> = {
  thingkit: async (_, states) => pretty(manifestOf(states)),
  'aws-bulk': async (_, states) => bulkLines(states),
  microchip,
};

export const manifestCommand: Command = {
  name: 'manifest',
  summary: "Write what was provisioned as a manifest: our form, lines for bulk registration, or Microchip's signed entries.",
  flags: [
    { name: 'folder', value: 'FOLDER', what: 'of thingkit provision; else provisioning', isPath: true },
    { name: 'form', value: 'FORM', what: 'else thingkit', oneOf: FORMS },
    { name: 'signer', value: 'URI', what: 'signs the entries of the microchip form' },
    { name: 'signer-certificate', value: 'FILE', what: 'the certificate of that key, PEM', isPath: true },
    { name: 'organization', value: 'NAME', what: "the factory's name in the microchip form; else Example Inc" },
    { name: 'out', short: 'o', value: 'FILE', what: 'else to standard output', isPath: true },
  ],
  examples: ['thingkit manifest --form aws-bulk --out things.jsonl'],
  isWriting: true,
  async run(given) {
    const path = join(given.text('folder') ?? 'provisioning', JOURNAL_NAME);
    const states = [...readJournal(path).states.values()];
    const done = states.filter(({ phase }) => phase === 'done').length;
    if (states.length === 0) throw new KitError('failed', `${path} has no board`);
    const form = (given.text('form') ?? 'thingkit') as Form;
    const out = given.text('out');
    const summary = { form, done, left: states.length - done, out };
    if (given.has('dry-run')) return { data: { dryRun: true, ...summary }, text: `would write ${done} boards as ${form}` };
    const text = await WRITERS[form](given, states);
    if (out === undefined) return { data: { ...summary, manifest: text }, text: text.trimEnd() };
    replaceFile(out, text, 0o644);
    return { data: summary, text: `wrote ${out}: ${done} boards, ${states.length - done} not done yet` };
  },
};
