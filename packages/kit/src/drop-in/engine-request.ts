/**
 * `openssl req` with a key of Infineon's OpenSSL engine for Trust M (cli-optiga-trust-m): what of its command line is understood.
 * A key is `OID:^:NEW:CURVE:USAGE`, or `OID:^` where it is there already; `^` says that the chip keeps the public key.
 */
import { ElementError } from '../elements/contract.ts';

export interface EngineKey {
  readonly oid: string;
  /** Bits of the usage of a new key; undefined where the key is there already. */
  readonly newUsage: number | undefined;
}

export interface EngineRequest {
  readonly key: EngineKey;
  readonly subject: string;
  /** Undefined for standard output. */
  readonly out: string | undefined;
  readonly form: 'pem' | 'der';
}

const ENGINE = 'trustm_engine';
/** P-256, as the engine's number of a curve. */
const P256 = 0x03;
/** A request is signed: the key is for authentication, or for signing. */
const SIGNS = 0x11;

/** Options that take a value, and options that take none and say nothing that is not so anyway. */
const WITH_VALUE = ['-keyform', '-engine', '-key', '-out', '-subj', '-outform'];
const TAKEN = ['-new', '-sha256', '-batch', '-utf8', '-nodes'];

const refused = (what: string): ElementError =>
  new ElementError('not-supported', `thingkit's openssl does not do this with a key of an engine: ${what}`, {
    hint: `it does: openssl req -keyform engine -engine ${ENGINE} -key 0xe0f1:^:NEW:0x03:0x13 -new -out FILE -subj SUBJECT`,
  });

/** Whether a command line asks for a key of an engine; all others are for the real openssl. */
export const asksForEngine = (args: readonly string[]): boolean =>
  args.some((arg, at) => (arg === '-engine' && args[at + 1] === ENGINE) || (arg === '-keyform' && args[at + 1] === 'engine'));

/** Throws ElementError where the text is no key that can be used. */
function parseEngineKey(text: string): EngineKey {
  const [oid = '', place, isNew, curve, usage, ...more] = text.split(':');
  if (!/^0x[0-9a-f]{4}$/i.test(oid) || more.length > 0) throw refused(`-key ${text}`);
  if (place !== '^' && place !== '*' && place !== undefined) throw refused(`a public key from the file ${place}`);
  if (isNew === undefined) return { oid, newUsage: undefined };
  if (isNew !== 'NEW') throw refused(`-key ${text}`);
  const bits = Number(usage ?? '0x13');
  if (Number(curve ?? '0x03') !== P256) throw refused(`a key of curve ${curve}; 0x03 is P-256`);
  if (!Number.isInteger(bits) || (bits & SIGNS) === 0) throw refused(`a key of usage ${usage}; 0x10 signs`);
  return { oid, newUsage: bits };
}

/** Reads the arguments behind `openssl`. Throws ElementError where they ask for what is not done here. */
export function parseEngineRequest([command = '', ...args]: readonly string[]): EngineRequest {
  if (command !== 'req') throw refused(`the command ${command}`);
  const values = new Map<string, string>();
  let isNew = false;
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    if (WITH_VALUE.includes(arg)) {
      const value = args[at + 1];
      if (value === undefined) throw refused(`${arg} without a value`);
      values.set(arg, value);
      at += 1;
    } else if (!TAKEN.includes(arg)) throw refused(arg);
    isNew ||= arg === '-new';
  }
  const [key, subject, form = 'PEM'] = ['-key', '-subj', '-outform'].map((name) => values.get(name));
  if (!isNew) throw refused('a request without -new');
  if (key === undefined) throw refused('a request without -key');
  if (subject === undefined) throw refused('a request without -subj');
  if (values.get('-keyform') !== 'engine' || values.get('-engine') !== ENGINE)
    throw refused(`a request without -keyform engine -engine ${ENGINE}`);
  if (!/^(pem|der)$/i.test(form)) throw refused(`-outform ${form}`);
  return {
    key: parseEngineKey(key),
    subject,
    out: values.get('-out'),
    form: form.toLowerCase() as 'pem' | 'der',
  };
}
