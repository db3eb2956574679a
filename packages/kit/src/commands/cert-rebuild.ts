/** `thingkit cert rebuild`: a certificate from its 72 bytes, given or in an element. */
import { toPem } from '@thingkeep/x509/pem.ts';
import { rebuildCertificate } from '../certificates/compressed.ts';
import { ZERO_TOUCH_SIGNER } from '../certificates/definitions.ts';
import { readElementCertificates } from '../certificates/element-certificates.ts';
import { storedFieldsOfSlot } from '../certificates/stored-fields.ts';
import { replaceFile } from '../files/replace-file.ts';
import { definitionIn, DEFINITION_FLAG, DEVICE_SERIAL_FLAG, deviceSerialIn, publicKeyFile } from './cert-flags.ts';
import { type Command, type Given, KitError, type Surroundings } from './command.ts';
import { ELEMENT_FLAGS, elementOf } from './element-flag.ts';
import { hexBytes } from './input-bytes.ts';

/** Everything is in the element, or all of it is given. */
async function rebuilt(given: Given, surroundings: Surroundings): Promise<Buffer> {
  const definition = definitionIn(given);
  const issuer = given.text('issuer');
  const [compressed, publicKey] = [given.text('compressed'), given.text('public-key')];
  if (compressed === undefined) {
    await using element = await elementOf(given, surroundings);
    const root = issuer === undefined ? undefined : publicKeyFile(issuer);
    const { signer, device } = await readElementCertificates(element, root);
    return definition === ZERO_TOUCH_SIGNER ? signer : device;
  }
  if (publicKey === undefined || issuer === undefined)
    throw new KitError('usage', 'with --compressed, --public-key and --issuer are needed');
  const stored = given.text('stored');
  return rebuildCertificate(definition, {
    compressed: hexBytes(compressed, '--compressed'),
    publicKey: publicKeyFile(publicKey),
    issuer: { publicKey: publicKeyFile(issuer) },
    stored: stored === undefined ? undefined : storedFieldsOfSlot(hexBytes(stored, '--stored')),
    deviceSerialNumber: deviceSerialIn(given),
  });
}

export const certRebuildCommand: Command = {
  name: 'cert rebuild',
  summary: 'Rebuild a certificate from its 72 bytes, and verify it under the key of its issuer.',
  flags: [
    DEFINITION_FLAG,
    ...ELEMENT_FLAGS,
    { name: 'compressed', value: 'HEX', what: 'the 72 bytes; else those in the element' },
    { name: 'public-key', value: 'FILE', what: "the certificate's own public key, or another certificate of it", isPath: true },
    { name: 'issuer', value: 'FILE', what: "the issuer's public key or certificate; with an element, the root's", isPath: true },
    { name: 'stored', value: 'HEX', what: 'what is kept beside it in slot 14' },
    DEVICE_SERIAL_FLAG,
    { name: 'out', short: 'o', value: 'FILE', what: 'where the certificate goes; else to standard output', isPath: true },
    { name: 'form', value: 'FORM', what: 'PEM where it is absent', oneOf: ['pem', 'der'] },
  ],
  examples: [
    'thingkit cert rebuild --definition zero-touch-device --element "atecc608:/dev/i2c-1?address=0x58"',
    'thingkit cert rebuild --definition zero-touch-device --compressed 0f98... --public-key device.pub --issuer signer-ca.crt',
  ],
  async run(given, surroundings) {
    const certificate = await rebuilt(given, surroundings);
    const pem = toPem('CERTIFICATE', certificate);
    const out = given.text('out');
    const content = given.text('form') === 'der' ? certificate : pem;
    if (out !== undefined) replaceFile(out, content, 0o644);
    return {
      data: { certificate: pem, out },
      text: out === undefined ? (typeof content === 'string' ? content.trimEnd() : content.toString('base64')) : `wrote ${out}`,
    };
  },
};
