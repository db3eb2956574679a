/** `thingkit cert compress`: the 72 bytes of a certificate. */
import { CERTIFICATE_LABELS } from '@thingkeep/x509/certificate.ts';
import { compressCertificate } from '../certificates/compressed.ts';
import { slotOfStoredFields } from '../certificates/stored-fields.ts';
import { definitionIn, DEFINITION_FLAG, DEVICE_SERIAL_FLAG, deviceSerialIn } from './cert-flags.ts';
import type { Command } from './command.ts';
import { pemOrDer } from './input-bytes.ts';
import { bytesResult, OUT_FLAG } from './output-file.ts';

export const certCompressCommand: Command = {
  name: 'cert compress',
  summary: 'Compress a certificate to the 72 bytes that a slot of an ATECC holds.',
  flags: [
    DEFINITION_FLAG,
    { name: 'in', short: 'i', value: 'FILE', what: 'the certificate, in PEM or DER', isRequired: true, isPath: true },
    DEVICE_SERIAL_FLAG,
    OUT_FLAG,
  ],
  examples: ['thingkit cert compress --definition zero-touch-device --in device.crt --out device.comp'],
  async run(given) {
    const definition = definitionIn(given);
    const certificate = pemOrDer(given.needed('in'), CERTIFICATE_LABELS);
    const { compressed, stored } = compressCertificate(definition, certificate, { deviceSerialNumber: deviceSerialIn(given) });
    const beside = stored === undefined ? undefined : slotOfStoredFields(stored).toString('hex');
    const { data, text } = bytesResult(given, compressed, { definition: definition.name, stored: beside });
    return { data, text: beside === undefined ? text : `${text}\nkept beside it (slot 14): ${beside}` };
  },
};
