/**
 * `pkcs11:` URIs (RFC 7512): attributes before the `?` choose a token and a key in it, those behind it say how the module and the
 * PIN are found. `pin-value` is refused: a secret would stand in the list of processes.
 */
import { ElementError } from '../contract.ts';

/** What a token and its slot have to be; text of the module's own, exactly. */
export interface TokenChoice {
  readonly token?: string;
  readonly manufacturer?: string;
  readonly serial?: string;
  readonly model?: string;
  readonly slotId?: number;
  readonly slotDescription?: string;
  readonly slotManufacturer?: string;
}

/** What the module has to say of itself. */
export interface LibraryChoice {
  readonly manufacturer?: string;
  readonly description?: string;
  readonly version?: string;
}

export type Pkcs11ObjectType = 'private' | 'public' | 'cert' | 'secret-key' | 'data';

export interface Pkcs11Uri {
  readonly choice: TokenChoice;
  readonly library: LibraryChoice;
  /** Label of a key or an object (CKA_LABEL). */
  readonly object?: string;
  /** CKA_ID, bytes. */
  readonly id?: Buffer;
  readonly type?: Pkcs11ObjectType;
  readonly moduleName?: string;
  readonly modulePath?: string;
  /** `file:PATH`, a path, or `env:NAME`; where the PIN is, never the PIN. */
  readonly pinSource?: string;
}

const PATH_ATTRIBUTES = [
  ...['token', 'manufacturer', 'serial', 'model', 'slot-id', 'slot-description', 'slot-manufacturer'],
  ...['library-manufacturer', 'library-description', 'library-version', 'object', 'type', 'id'],
];
const QUERY_ATTRIBUTES = ['pin-source', 'pin-value', 'module-name', 'module-path'];
const TYPES: readonly Pkcs11ObjectType[] = ['private', 'public', 'cert', 'secret-key', 'data'];
const MAX_LENGTH = 4096;

const invalid = (message: string, hint?: string): ElementError => new ElementError('invalid', message, { hint });

/** Bytes of a percent-encoded value. What stands as it is must be ASCII that can be printed. */
function bytesOf(name: string, value: string): Buffer {
  if (!/^(?:%[0-9A-Fa-f]{2}|[!-$&-~])*$/.test(value))
    throw invalid(`the value of ${name} is not percent-encoded as it should be`);
  return Buffer.from(
    value.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))),
    'latin1',
  );
}

function textOf(name: string, value: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytesOf(name, value));
  } catch (cause) {
    if (cause instanceof ElementError) throw cause;
    throw invalid(`the value of ${name} is not UTF-8`);
  }
}

/** Attributes by name, as they are written. */
function attributesOf(text: string, separator: string, known: readonly string[]): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const pair of text === '' ? [] : text.split(separator)) {
    const at = pair.indexOf('=');
    const name = at < 0 ? pair : pair.slice(0, at);
    if (at < 0 || !known.includes(name)) throw invalid(`pkcs11: has no attribute ${name} here`, `known: ${known.join(', ')}`);
    if (attributes.has(name)) throw invalid(`the attribute ${name} is given twice`);
    attributes.set(name, pair.slice(at + 1));
  }
  return attributes;
}

function slotIdOf(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw invalid(`slot-id takes a decimal number, not ${value}`);
  return Number(value);
}

/** Members without those that are undefined. */
const defined = <T extends object>(members: T): T =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;

/** Throws ElementError `invalid`. */
export function parsePkcs11Uri(uri: string): Pkcs11Uri {
  if (!uri.startsWith('pkcs11:') || uri.length > MAX_LENGTH)
    throw invalid(
      'this is no pkcs11: URI',
      'such as pkcs11:token=device;object=key?module-name=softhsm2&pin-source=file:/etc/pin',
    );
  const [path = '', query = ''] = uri.slice('pkcs11:'.length).split(/\?(.*)/s, 2);
  const where = attributesOf(path, ';', PATH_ATTRIBUTES);
  const how = attributesOf(query, '&', QUERY_ATTRIBUTES);
  if (how.has('pin-value'))
    throw invalid('pin-value would show the PIN in the list of processes', 'put it in a file of mode 0600: pin-source=file:PATH');
  const text = (name: string, from = where): string | undefined => {
    const value = from.get(name);
    return value === undefined ? undefined : textOf(name, value);
  };
  const [id, type, slotId] = [where.get('id'), text('type'), where.get('slot-id')];
  if (id === '') throw invalid('id is empty');
  if (type !== undefined && !TYPES.includes(type as Pkcs11ObjectType))
    throw invalid(`type takes ${TYPES.join(', ')}, not ${type}`);
  return defined<Pkcs11Uri>({
    choice: defined<TokenChoice>({
      token: text('token'),
      manufacturer: text('manufacturer'),
      serial: text('serial'),
      model: text('model'),
      slotId: slotId === undefined ? undefined : slotIdOf(slotId),
      slotDescription: text('slot-description'),
      slotManufacturer: text('slot-manufacturer'),
    }),
    library: defined<LibraryChoice>({
      manufacturer: text('library-manufacturer'),
      description: text('library-description'),
      version: text('library-version'),
    }),
    object: text('object'),
    id: id === undefined ? undefined : bytesOf('id', id),
    type: type as Pkcs11ObjectType | undefined,
    moduleName: text('module-name', how),
    modulePath: text('module-path', how),
    pinSource: text('pin-source', how),
  });
}
