/**
 * `thingkit arduino csr`: the questions of ArduinoECCX08's sketch ECCX08CSR, and its request: PrintableStrings in the order C, ST,
 * L, O, OU, CN, and 76 columns.
 */
import { distinguishedName, type NameAttribute } from '@thingkeep/x509/names.ts';
import { toPem } from '@thingkeep/x509/pem.ts';
import { writeCsr } from '@thingkeep/x509/write-csr.ts';
import { AteccElement } from '../elements/atecc/atecc-element.ts';
import { configurationOn, writeConfiguration } from '../elements/atecc/configurations.ts';
import type { SecureElement } from '../elements/contract.ts';
import { elementSigner } from '../elements/element-signer.ts';
import { replaceFile } from '../files/replace-file.ts';
import { type Command, type Given, KitError, type Surroundings } from './command.ts';
import { ELEMENT_FLAGS, elementOf } from './element-flag.ts';

const COLUMNS = 76;
/** Slots that the sketch offers. */
const SLOT = /^[0-4]$/;

interface Question {
  readonly flag: string;
  readonly text: string;
  readonly type: NameAttribute['type'];
}

/** In the order of the sketch, which is that of the request. */
const QUESTIONS: readonly Question[] = [
  { flag: 'country', text: 'Country Name (2 letter code)', type: 'C' },
  { flag: 'state', text: 'State or Province Name (full name)', type: 'ST' },
  { flag: 'locality', text: 'Locality Name (eg, city)', type: 'L' },
  { flag: 'organization', text: 'Organization Name (eg, company)', type: 'O' },
  { flag: 'unit', text: 'Organizational Unit Name (eg, section)', type: 'OU' },
  { flag: 'common-name', text: 'Common Name (e.g. server FQDN or YOUR name)', type: 'CN' },
];

/** What a flag says, else the answer to the question; an empty answer is the usual one. */
async function asked(given: Given, surroundings: Surroundings, flag: string, text: string, usual: string): Promise<string> {
  const said = given.text(flag);
  if (said !== undefined) return said;
  const answer = await surroundings.ask(`${text} [${usual}]: `);
  if (answer === undefined) throw new KitError('usage', `no answer to: ${text}`, { hint: `--${flag} answers it` });
  return answer.trim() === '' ? usual : answer.trim();
}

/** Configures and locks a chip that is not, where its owner says so. */
async function lockWhereAsked(element: SecureElement, given: Given, surroundings: Surroundings): Promise<void> {
  if (!(element instanceof AteccElement) || (await element.lockState()).isReady) return;
  const text = 'The chip is not locked: configure and lock it PERMANENTLY now? (y/N)';
  if (!(await asked(given, surroundings, 'lock', text, 'N')).toLowerCase().startsWith('y'))
    throw new KitError('element', 'without locking it no key can be made in it');
  await element.exclusively(async ({ link, zones, locks }) => {
    await writeConfiguration(link, zones, configurationOn('arduino', await zones.readConfig()));
    await locks.lockConfig('for-good');
    await locks.lockData('for-good');
  });
}

export const arduinoCsrCommand: Command = {
  name: 'arduino csr',
  summary: `Make a request as ArduinoECCX08's sketch ECCX08CSR does: its questions, its form, 76 columns.
Questions that a flag answers are not asked; an answer may be empty.`,
  flags: [
    ...ELEMENT_FLAGS,
    ...QUESTIONS.map(({ flag, text }) => ({ name: flag, value: 'TEXT', what: text })),
    { name: 'slot', value: 'SLOT', what: 'slot of the key, 0 to 4' },
    { name: 'new-key', value: 'Y/n', what: 'whether a new private key is made' },
    { name: 'lock', value: 'y/N', what: 'whether a chip that is not locked is configured and locked, for good' },
    { name: 'out', short: 'o', value: 'FILE', what: 'else to standard output', isPath: true },
  ],
  examples: [
    'thingkit arduino csr --element atecc608:/dev/i2c-1',
    'thingkit arduino csr --element atecc608:virtual:chip.json --lock y --country US --state "" --locality "" --organization Example --unit "" --common-name lamp-1 --slot 0 --new-key y',
  ],
  isWriting: true,
  async run(given, surroundings) {
    await using element = await elementOf(given, surroundings);
    const serialNumber = (await element.identify()).serialNumber.toUpperCase();
    surroundings.say(`Serial number: ${serialNumber}\n`);
    if (given.has('dry-run'))
      return { data: { dryRun: true, serialNumber }, text: 'would make a key where asked, and write a request signed by it' };
    await lockWhereAsked(element, given, surroundings);
    const attributes: NameAttribute[] = [];
    for (const { flag, text, type } of QUESTIONS) {
      const value = await asked(given, surroundings, flag, text, type === 'CN' ? serialNumber : '');
      if (value !== '') attributes.push({ type, value, string: 'printableString' });
    }
    const slot = await asked(given, surroundings, 'slot', 'What slot would you like to use? (0 - 4)', element.defaultKey);
    if (element instanceof AteccElement && !SLOT.test(slot)) throw new KitError('usage', `${slot} is none of the slots 0 to 4`);
    const isNew = await asked(given, surroundings, 'new-key', 'Would you like to generate a new private key? (Y/n)', 'Y');
    const subject = distinguishedName(...attributes);
    if (isNew.toLowerCase().startsWith('y')) await element.generateKey(slot);
    const pem = toPem('CERTIFICATE REQUEST', await writeCsr(subject, await elementSigner(element, slot)), COLUMNS);
    const out = given.text('out');
    if (out !== undefined) replaceFile(out, pem, 0o644);
    return { data: { serialNumber, slot, csr: pem, out }, text: out === undefined ? pem.trimEnd() : `wrote ${out}` };
  },
};
