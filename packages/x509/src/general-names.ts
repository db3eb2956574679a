/**
 * General names (RFC 5280 section 4.2.1.6), and whether one lies within a subtree of a name constraint (section 4.2.1.10).
 * Pure.
 */
import { DerError, type DerReader, explicit, implicit, sequenceOf, TAG } from './der.ts';
import { decodeString } from './strings.ts';

export interface GeneralName {
  readonly tag: number;
  readonly content: Buffer;
}

/** Forms of names that constraints are applied to; a directory name has its Name inside of its tag. */
export const NAME_FORM = {
  email: implicit(1),
  dns: implicit(2),
  directory: explicit(4),
  uri: implicit(6),
  address: implicit(7),
} as const;

const lower = (content: Buffer): string => content.toString('latin1').toLowerCase();

/** `example.com` has itself and what is below it; `.example.com` what is below it alone. */
function isWithinHost(host: string, base: string): boolean {
  if (base === '') return true;
  return base.startsWith('.') ? host.endsWith(base) : host === base || host.endsWith(`.${base}`);
}

/** A host of a mailbox or URI: `example.com` is that host alone, `.example.com` what is below it. */
const isHost = (host: string, base: string): boolean => (base.startsWith('.') ? host.endsWith(base) : host === base);

function isWithinMailbox(mailbox: string, base: string): boolean {
  const at = mailbox.lastIndexOf('@');
  if (base.includes('@')) {
    const from = base.lastIndexOf('@');
    return mailbox.slice(0, at) === base.slice(0, from) && mailbox.slice(at).toLowerCase() === base.slice(from).toLowerCase();
  }
  return isHost(mailbox.slice(at + 1).toLowerCase(), base.toLowerCase());
}

const isWithinUri = (uri: string, base: string): boolean => isHost(URL.parse(uri)?.hostname.toLowerCase() ?? '', base);

function isWithinAddress(address: Buffer, base: Buffer): boolean {
  const { length } = address;
  if (base.length !== length * 2) return false;
  return address.every((byte, i) => (byte & (base[length + i] ?? 0)) === ((base[i] ?? 0) & (base[length + i] ?? 0)));
}

const text = (tag: number, content: Buffer): string | undefined => {
  try {
    return decodeString(tag, content);
  } catch {
    return undefined;
  }
};

/** An attribute for comparison (RFC 5280 section 7.1): strings by their text, without case and needless spaces. */
function comparable(attribute: DerReader): string {
  const type = attribute.value(TAG.oid).content.toString('hex');
  const { tag, content, whole } = attribute.value();
  attribute.end();
  const decoded = text(tag, content);
  const value = decoded?.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ');
  return value === undefined ? `${type}#${whole.toString('hex')}` : `${type}=${value}`;
}

/** The relative names of a Name, each for comparison. */
function relativeNames(name: Buffer): string[] {
  const names = sequenceOf(name);
  const found: string[] = [];
  while (names.next !== undefined) {
    const set = names.enter(TAG.set);
    const attributes: string[] = [];
    while (set.next !== undefined) attributes.push(comparable(set.enter(TAG.sequence)));
    found.push(JSON.stringify(attributes.sort()));
  }
  return found;
}

function isWithinDirectory(name: Buffer, base: Buffer): boolean {
  const [own, above] = [relativeNames(name), relativeNames(base)];
  return above.every((each, i) => each === own[i]);
}

/** Whether the name is in the subtree; undefined of a form whose subtrees are not known here. Both are of one form. */
export function isWithin(name: GeneralName, base: GeneralName): boolean | undefined {
  switch (name.tag) {
    case NAME_FORM.dns:
      return isWithinHost(lower(name.content), lower(base.content));
    case NAME_FORM.email:
      return isWithinMailbox(name.content.toString('latin1'), base.content.toString('latin1'));
    case NAME_FORM.uri:
      return isWithinUri(name.content.toString('latin1'), lower(base.content));
    case NAME_FORM.address:
      return isWithinAddress(name.content, base.content);
    case NAME_FORM.directory:
      return isWithinDirectory(name.content, base.content);
    default:
      return undefined;
  }
}

/** More names than any real certificate has. */
const MAX_NAMES = 100;

/** The names of a list, whole: `each` reads one. */
export function generalNames(list: DerReader, each: (from: DerReader) => GeneralName = (from) => from.value()): GeneralName[] {
  const names: GeneralName[] = [];
  while (list.next !== undefined) {
    if (names.length === MAX_NAMES) throw new DerError('too many names');
    const { tag, content } = each(list);
    names.push({ tag, content });
  }
  return names;
}
