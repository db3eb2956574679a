/**
 * `optiga_upload_crt` with the flags and the output of Infineon's tool (personalize-optiga-trust-x): writes a certificate into the
 * chip as a TLS identity, and reads it back. A certificate that could not be written is exit code 1; Infineon's tool says 0.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { CERTIFICATE_LABELS } from '@thingkeep/x509/certificate.ts';
import { pemBlocks } from '@thingkeep/x509/pem.ts';
import { ElementError } from '../elements/contract.ts';
import { certificatesOf, tlsIdentity } from '../elements/optiga/certificate-object.ts';
import { readShortOptions } from './short-options.ts';
import { faultText, openChip, TOOL_EXIT, type ToolOutput } from './tool.ts';

const USAGE = `Too few arguments!
Help:
-f  PLACE      the chip: /dev/i2c-1, virtual:FILE or socket:PATH; else the element of THINGKIT_ELEMENT
-c  cert_path  the certificate, PEM or DER
-o  oid        where it goes: 0xE0E1 (where it is absent), 0xE0E2 or 0xE0E3
`;
const OBJECTS = ['0xE0E1', '0xE0E2', '0xE0E3'];
/** Bytes of a file that is no certificate any more. */
const MAX_FILE = 65_536;
const COLUMNS = 16;

const part = (title: string): string => `\n********************\t${title}\t********************\n`;

/** Lines of offset, bytes and characters. */
function hexDump(bytes: Buffer): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += COLUMNS) {
    const row = bytes.subarray(at, at + COLUMNS);
    const pairs = [...row].map((byte) => `${byte.toString(16).padStart(2, '0')} `).join('');
    const text = row.toString('latin1').replace(/[^ -~]/g, '.');
    lines.push(`0x${at.toString(16).padStart(6, '0')}: ${pairs.padEnd(COLUMNS * 3)}${text.padEnd(COLUMNS)}\r\n`);
  }
  return lines.join('');
}

/** The certificate in a file, and the file's text; undefined where there is none. */
function readCertificateFile(path: string): { certificate: X509Certificate; text: string } | undefined {
  try {
    const content = readFileSync(path);
    if (content.length > MAX_FILE) return undefined;
    const [der = content] = pemBlocks(content.toString('latin1'), CERTIFICATE_LABELS) ?? [];
    const certificate = new X509Certificate(der);
    return { certificate, text: certificate.toString() };
  } catch {
    return undefined;
  }
}

const inWords = ({ subject, issuer, validFrom, validTo, serialNumber }: X509Certificate): string =>
  [
    `serial number     : ${serialNumber.replace(/..(?=.)/g, '$&:')}`,
    `issuer name       : ${issuer.replaceAll('\n', ', ')}`,
    `subject name      : ${subject.replaceAll('\n', ', ')}`,
    `issued  on        : ${validFrom}`,
    `expires on        : ${validTo}`,
    '',
  ].join('\n');

/** Runs the tool; its exit code. `usual` is the element that is taken without -f. */
export async function uploadCrt(args: readonly string[], usual: string | undefined, output: ToolOutput): Promise<number> {
  if (args.length < 4) {
    output.out(USAGE);
    return TOOL_EXIT.failed;
  }
  const { values, fault } = readShortOptions(args, 'f:c:o:d');
  if (fault !== undefined) {
    output.err(`${fault}\n`);
    output.out('Help:\n-c\t\tPath to certificate-file\n');
    return TOOL_EXIT.failed;
  }
  const [path, object = '0xE0E1', place = usual] = ['c', 'o', 'f'].map((letter) => values.get(letter));
  if (!OBJECTS.includes(object)) {
    output.out(`Please enter an Object OID you want to use\nPossible IDs: \n\t${OBJECTS.join('\n\t')}\n`);
    return TOOL_EXIT.failed;
  }
  if (path === undefined || place === undefined) {
    output.out(USAGE);
    return TOOL_EXIT.failed;
  }
  return upload({ path, object, place }, output);
}

interface Upload {
  readonly path: string;
  readonly object: string;
  readonly place: string;
}

async function upload({ path, object, place }: Upload, output: ToolOutput): Promise<number> {
  let isOpen = false;
  try {
    await using element = await openChip(place);
    await element.identify();
    isOpen = true;
    output.out(`OPTIGA(TM) Trust X initialized.\n${part('Parsing certificate')}`);
    const found = readCertificateFile(path);
    if (found === undefined) {
      output.out(` failed\n  !  ${path} holds no certificate\n`);
      return TOOL_EXIT.failed;
    }
    output.out(`${inWords(found.certificate)}${part('Certificate read')}${found.text}\n${part('Writing certificate')}`);
    const content = tlsIdentity([found.certificate.raw]);
    output.out(hexDump(content));
    await element.writeObject(object, content);
    const [written] = certificatesOf(await element.readObject(object));
    if (written === undefined || !written.equals(found.certificate.raw))
      throw new ElementError('verification', `${object} does not hold the certificate`);
    output.out('\nCertificate successfully written \n');
    return TOOL_EXIT.done;
  } catch (error) {
    if (!(error instanceof ElementError)) throw error;
    output.out(isOpen ? '\nCertificate not written!\n' : 'OPTIGA Open Application failed.\n');
    output.err(faultText(error));
    return isOpen ? TOOL_EXIT.failed : TOOL_EXIT.chip;
  }
}
