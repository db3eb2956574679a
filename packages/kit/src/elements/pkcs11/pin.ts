/**
 * The PIN of a token: in a file that its owner alone can read (`pin-source=file:PATH`, RFC 7512), or in a variable of the
 * environment that is named (`pin-source=env:NAME`). It is never an argument, and no message holds it.
 */
import { readFileSync, statSync } from 'node:fs';
import { ElementError } from '../contract.ts';

/** Bytes of a PIN; PKCS #11 has no bound of its own. */
const MAX_PIN = 255;

function fromFile(path: string): string {
  try {
    const { mode, size } = statSync(path);
    if ((mode & 0o077) !== 0)
      throw new ElementError('not-permitted', `the PIN in ${path} can be read by others (mode 0${(mode & 0o777).toString(8)})`, {
        hint: `chmod 600 ${path}`,
      });
    if (size > MAX_PIN + 2) throw new ElementError('invalid', `${path} holds no PIN: it has over ${MAX_PIN} bytes`);
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    if (cause instanceof ElementError) throw cause;
    const { code = '', message } = cause as NodeJS.ErrnoException;
    throw new ElementError(code === 'ENOENT' ? 'not-found' : 'not-permitted', `the PIN's file: ${message}`, { cause });
  }
}

/** Throws ElementError. */
export function readPin(source: string, environment: Readonly<Record<string, string | undefined>> = process.env): string {
  if (source.startsWith('|'))
    throw new ElementError('not-supported', 'pin-source names a program, and programs are not run', {
      hint: 'pin-source=file:PATH',
    });
  const [, kind = 'file', place = source] = /^(file|env):(.*)$/s.exec(source) ?? [];
  const pin = kind === 'env' ? environment[place] : fromFile(place.replace(/^\/\/(?=\/)/, ''));
  if (pin === undefined) throw new ElementError('not-found', `the environment has no ${place}, where the PIN should be`);
  if (pin === '' || Buffer.byteLength(pin) > MAX_PIN)
    throw new ElementError('invalid', `the PIN of ${kind === 'env' ? place : 'the file'} is empty or has over ${MAX_PIN} bytes`);
  return pin;
}
