/** Bytes that a command takes: from a file, in hexadecimal, or from PEM. */
import { readFileSync, statSync } from 'node:fs';
import { onePemBlock } from '@thingkeep/x509/pem.ts';
import { KitError } from './command.ts';

/** Bytes of a file that is read: more than any object or certificate has. */
const MAX_INPUT = 1 << 20;

/** The content of a file. Throws KitError where it is too large. */
export function fileBytes(path: string): Buffer {
  if (statSync(path).size > MAX_INPUT) throw new KitError('usage', `${path} has over ${MAX_INPUT} bytes`);
  return readFileSync(path);
}

/** Bytes from hexadecimal. Throws KitError `usage` where the text is none. */
export function hexBytes(text: string, what: string): Buffer {
  if (!/^([0-9a-fA-F]{2})*$/.test(text)) throw new KitError('usage', `${what} is not hexadecimal: ${text.slice(0, 40)}`);
  return Buffer.from(text, 'hex');
}

/** What a file has in PEM under one of these labels, or the file as it is, in DER. */
export function pemOrDer(path: string, labels: readonly string[]): Buffer {
  const bytes = fileBytes(path);
  if (!bytes.includes('-----BEGIN ')) return bytes;
  const block = onePemBlock(bytes.toString('latin1'), labels);
  if (block === undefined) throw new KitError('usage', `${path} does not hold one block of ${labels.join(' or ')} in PEM`);
  return block;
}
