/** The extensions of a certificate that decide about paths (RFC 5280 sections 4.2.1 and 6.1), read. */
import { DerError, DerReader, explicit, implicit, readOid, sequenceOf, TAG } from './der.ts';
import { type GeneralName, generalNames } from './general-names.ts';

/** Subtrees that the names of certificates below must, and must not, be in. */
export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

export interface PathExtensions {
  /** Whether basicConstraints says that it may sign certificates. */
  readonly authority: boolean;
  /** Certificates at most between it and the last one of a path. */
  readonly pathLength: number | undefined;
  /** Whether keyUsage allows it to sign certificates, or there is none. */
  readonly maySign: boolean;
  readonly constraints: NameConstraints | undefined;
  /** Of the subject. */
  readonly alternativeNames: readonly GeneralName[];
  /** Identifiers of its own key and its issuer's: hints that anybody can write. */
  readonly keyIdentifier: Buffer | undefined;
  readonly issuerKeyIdentifier: Buffer | undefined;
  /** The first critical extension that is not understood here; undefined without one. */
  readonly unknown: string | undefined;
}

const ID = {
  keyIdentifier: '2.5.29.14',
  issuerKeyIdentifier: '2.5.29.35',
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
} as const;

/**
 * Those that are read, and those that ask for nothing here: extended key usage, which AWS IoT does not look at, and what is
 * about policies where none is required.
 */
const KNOWN: ReadonlySet<string> = new Set([...Object.values(ID), '2.5.29.32', '2.5.29.33', '2.5.29.37', '2.5.29.54']);

const MAX_EXTENSIONS = 100;
/** Bit 5 of KeyUsage from the left: keyCertSign. */
const CERT_SIGN = 0x04;

interface Listed {
  readonly critical: boolean;
  readonly value: Buffer;
}

/** Extensions by their id; two of one id are none that can be understood (section 4.2). */
function listExtensions(list: DerReader): ReadonlyMap<string, Listed> {
  const found = new Map<string, Listed>();
  while (list.next !== undefined) {
    const each = list.enter(TAG.sequence);
    const id = readOid(each.value(TAG.oid).content);
    const critical = each.optional(TAG.boolean)?.content[0] ?? 0;
    const value = each.value(TAG.octetString).content;
    each.end();
    if (found.has(id) || found.size === MAX_EXTENSIONS) throw new DerError('extensions');
    found.set(id, { critical: critical !== 0, value });
  }
  return found;
}

function readBasicConstraints(value: Buffer | undefined): Pick<PathExtensions, 'authority' | 'pathLength'> {
  if (value === undefined) return { authority: false, pathLength: undefined };
  const parts = sequenceOf(value);
  const flag = parts.optional(TAG.boolean)?.content[0] ?? 0;
  const pathLength = parts.next === undefined ? undefined : parts.number();
  parts.end();
  if (pathLength !== undefined && pathLength < 0) throw new DerError('path length below 0');
  return { authority: flag !== 0, pathLength };
}

/** The base of a GeneralSubtree; depths, which RFC 5280 does not use, are not understood. */
function subtree(list: DerReader): GeneralName {
  const parts = list.enter(TAG.sequence);
  const base = parts.value();
  parts.end();
  return base;
}

function readConstraints(value: Buffer | undefined): NameConstraints | undefined {
  if (value === undefined) return undefined;
  const parts = sequenceOf(value);
  const lists = [explicit(0), explicit(1)].map((tag) => (parts.next === tag ? generalNames(parts.enter(tag), subtree) : []));
  parts.end();
  const [permitted = [], excluded = []] = lists;
  return { permitted, excluded };
}

/** Whether the one BIT STRING has keyCertSign; the count of its unused bits is before it. */
function maySign(value: Buffer | undefined): boolean {
  if (value === undefined) return true;
  const parts = new DerReader(value);
  const { content } = parts.value(TAG.bitString);
  parts.end();
  return ((content[1] ?? 0) & CERT_SIGN) !== 0;
}

/** A hint that can't be read is none. */
function hint(value: Buffer | undefined, read: (value: Buffer) => Buffer | undefined): Buffer | undefined {
  try {
    return value === undefined ? undefined : read(value);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/** Reads the list of extensions, whole. Throws DerError where one of those that count can't be read. */
export function readPathExtensions(extensions: Buffer | undefined): PathExtensions {
  const listed = extensions === undefined ? new Map<string, Listed>() : listExtensions(sequenceOf(extensions));
  const valueIn = (id: string): Buffer | undefined => listed.get(id)?.value;
  const names = valueIn(ID.alternativeNames);
  const unknown = [...listed].find(([id, { critical }]) => critical && !KNOWN.has(id))?.[0];
  return {
    ...readBasicConstraints(valueIn(ID.basicConstraints)),
    maySign: maySign(valueIn(ID.keyUsage)),
    constraints: readConstraints(valueIn(ID.nameConstraints)),
    alternativeNames: names === undefined ? [] : generalNames(sequenceOf(names)),
    keyIdentifier: hint(valueIn(ID.keyIdentifier), (value) => new DerReader(value).value(TAG.octetString).content),
    issuerKeyIdentifier: hint(valueIn(ID.issuerKeyIdentifier), (value) => sequenceOf(value).optional(implicit(0))?.content),
    unknown,
  };
}
