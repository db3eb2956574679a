/** `thingkit csr`: a certificate signing request whose key is in an element. */
import { keyIdentifier } from '@thingkeep/x509/public-key.ts';
import { toPem } from '@thingkeep/x509/pem.ts';
import { writeCsr } from '@thingkeep/x509/write-csr.ts';
import { subjectName } from '../certificates/subject.ts';
import { ElementError } from '../elements/contract.ts';
import { elementSigner } from '../elements/element-signer.ts';
import { replaceFile } from '../files/replace-file.ts';
import type { Command } from './command.ts';
import { ELEMENT_FLAGS, elementOf, KEY_FLAG, keyOf } from './element-flag.ts';

export const csrCommand: Command = {
  name: 'csr',
  summary: 'Write a certificate signing request that the element signs.',
  flags: [
    ...ELEMENT_FLAGS,
    KEY_FLAG,
    { name: 'subject', short: 's', value: 'SUBJECT', what: 'such as "/O=Example Inc/CN=device-1"', isRequired: true },
    { name: 'new-key', what: 'make a new key first; the old one is gone' },
    { name: 'out', short: 'o', value: 'FILE', what: 'where the request goes; else to standard output', isPath: true },
    { name: 'form', value: 'FORM', what: 'PEM where it is absent', oneOf: ['pem', 'der'] },
  ],
  examples: [
    'thingkit csr --element file:device.key --new-key --subject "/O=Example Inc/CN=device-1" --out device.csr',
    'thingkit csr --element optiga-trust-m:/dev/i2c-1 --key 0xE0F1 --subject /CN=device-1',
  ],
  isWriting: true,
  async run(given, surroundings) {
    const subject = subjectName(given.needed('subject'));
    await using element = await elementOf(given, surroundings);
    const key = keyOf(given, element);
    const out = given.text('out');
    if (given.has('dry-run')) {
      const plan = `would ${given.has('new-key') ? `make a new key in ${key}, ` : ''}sign with ${key}${out === undefined ? '' : ` and write ${out}`}`;
      return { data: { dryRun: true, key, newKey: given.has('new-key'), out }, text: plan };
    }
    if (given.has('new-key')) await element.generateKey(key);
    const signer = await elementSigner(element, key).catch((error: unknown) => {
      if (error instanceof ElementError && error.code === 'not-found')
        throw new ElementError(error.code, error.message, { hint: '--new-key makes a key first', cause: error });
      throw error;
    });
    const request = await writeCsr(subject, signer);
    const pem = toPem('CERTIFICATE REQUEST', request);
    const content = given.text('form') === 'der' ? request : pem;
    if (out !== undefined) replaceFile(out, content, 0o644);
    return {
      data: { key, csr: pem, subjectKeyIdentifier: keyIdentifier(signer.publicKey).toString('hex'), out },
      text: out === undefined ? (typeof content === 'string' ? content.trimEnd() : content.toString('base64')) : `wrote ${out}`,
    };
  },
};
