/**
 * `optiga_generate_csr` with the flags, the output and the exit codes of Infineon's tool (personalize-optiga-trust-x): makes a key
 * in the chip, and writes a request that it signs.
 */
import { readFileSync } from 'node:fs';
import { bitString, der, oid, sequence, TAG } from '@thingkeep/x509/der.ts';
import { distinguishedName, NameError, type NameAttribute } from '@thingkeep/x509/names.ts';
import { toPem } from '@thingkeep/x509/pem.ts';
import { ecdsaSignature } from '@thingkeep/x509/signing.ts';
import { writeCsr } from '@thingkeep/x509/write-csr.ts';
import { ElementError } from '../elements/contract.ts';
import type { OptigaElement } from '../elements/optiga/optiga-element.ts';
import { pointOfSpki } from '../elements/p256.ts';
import { replaceFile } from '../files/replace-file.ts';
import { readShortOptions } from './short-options.ts';
import { faultText, openChip, TOOL_EXIT, type ToolOutput } from './tool.ts';

const USAGE = `usage: optiga_generate_csr -o FILE -i JSON_FILE [-f PLACE] [-p OID]
  -i JSON_FILE  what the subject is made of: CN, and where given O, C, ST, OU, emailAddress
  -o FILE       where the request goes, in PEM
  -f PLACE      the chip: /dev/i2c-1, virtual:FILE or socket:PATH; else the element of THINGKIT_ELEMENT
  -p OID        where the new key goes: 0xE0F1 (where it is absent), 0xE0F2 or 0xE0F3
  -r            is taken, and nothing is done for it: random numbers come from the chip
`;
const KEYS = ['0xE0F1', '0xE0F2', '0xE0F3'];
/** The order of the subject, which is that of the tool. */
const ATTRIBUTES = ['CN', 'O', 'C', 'ST', 'OU', 'emailAddress'] as const;

/** Key usage digitalSignature, not critical, as the tool asks for it. */
const KEY_USAGE = sequence(oid('2.5.29.15'), der(TAG.octetString, bitString(Buffer.of(0x80), 7)));

/** The subject in a file, as attributes; undefined where there is none, which has been said. */
function readSubject(path: string, output: ToolOutput): NameAttribute[] | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    output.out('Opening file failed!\nReading not successful!\n');
    return undefined;
  }
  output.out(`Data read:\n${text}`);
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch {
    values = undefined;
  }
  if (typeof values !== 'object' || values === null) {
    output.out('Not a JSON file\n');
    return undefined;
  }
  const found = values as Readonly<Record<string, unknown>>;
  const attributes = ATTRIBUTES.flatMap((type) => {
    const value = found[type];
    return typeof value === 'string' ? [{ type, value }] : [];
  });
  if (attributes[0]?.type === 'CN') return attributes;
  output.out('Major Error: CN not existent!');
  return undefined;
}

const hex = (bytes: Buffer): string => bytes.toString('hex').toUpperCase();

/** Makes the key and the request. Throws ElementError. */
async function makeRequest(element: OptigaElement, key: string, subject: Buffer, output: ToolOutput): Promise<Buffer> {
  const publicKey = await element.generateKey(key, ['sign']);
  output.out(`Keypair generated.\nPublic key is \n04${hex(pointOfSpki(publicKey))}\n`);
  output.out('  . Checking subject name...\n  . Loading the private key ...\n  . Writing the certificate request ...\n');
  const sign = async ({ digest }: { readonly digest: Buffer }): Promise<Buffer> => {
    output.out('OPTIGA(TM) Trust X Signature generation\n');
    const signature = ecdsaSignature(await element.sign(key, digest));
    output.out(`${hex(signature)} Size ${signature.length}\n`);
    return signature;
  };
  return writeCsr(subject, { publicKey, sign }, [KEY_USAGE]);
}

/** Runs the tool; its exit code. `usual` is the element that is taken without -f. */
export async function generateCsr(args: readonly string[], usual: string | undefined, output: ToolOutput): Promise<number> {
  if (args.length < 4) {
    output.err(USAGE);
    return TOOL_EXIT.failed;
  }
  const { values, fault } = readShortOptions(args, 'i:f:o:p:r');
  if (fault !== undefined) {
    output.err(`${fault}\n`);
    return TOOL_EXIT.failed;
  }
  const [input, out, key = '0xE0F1', place = usual] = ['i', 'o', 'p', 'f'].map((letter) => values.get(letter));
  if (!KEYS.includes(key)) {
    output.out(`Please enter an Object OID you want to use\nPossible IDs: \n\t${KEYS.join('\n\t')}\n`);
    return TOOL_EXIT.failed;
  }
  if (input === undefined || out === undefined || place === undefined) {
    output.err(USAGE);
    return TOOL_EXIT.failed;
  }
  const attributes = readSubject(input, output);
  if (attributes === undefined) {
    output.out('Reading JSON config file failed!\n');
    return TOOL_EXIT.failed;
  }
  output.out(`${attributes.map(({ type, value }) => `${type}=${value}`).join(',')}\n`);
  return write({ place, key, out, attributes }, output);
}

interface Work {
  readonly place: string;
  readonly key: string;
  readonly out: string;
  readonly attributes: readonly NameAttribute[];
}

async function write({ place, key, out, attributes }: Work, output: ToolOutput): Promise<number> {
  let doing = 'OPTIGA Open Application failed.';
  try {
    const subject = distinguishedName(...attributes);
    await using element = await openChip(place);
    await element.identify();
    output.out('OPTIGA(TM) Trust X initialized.\n');
    doing = 'OPTIGA Key Generation failed.';
    replaceFile(out, toPem('CERTIFICATE REQUEST', await makeRequest(element, key, subject, output)), 0o644);
  } catch (error) {
    if (error instanceof ElementError) {
      output.out(`${doing}\n`);
      output.err(faultText(error));
    } else if (error instanceof NameError || (error as NodeJS.ErrnoException).syscall !== undefined)
      output.out(` failed\n  !  ${(error as Error).message}\n`);
    else throw error;
    return TOOL_EXIT.chip;
  }
  output.out('ok\n');
  return TOOL_EXIT.done;
}
