/**
 * Certification paths (RFC 5280 section 6), validated: from a certificate to a trust anchor, each signed by the next. Names are
 * compared as DER. Revocation and policies are not looked at. Pure, and bounded before a signature is checked.
 */
import type { KeyObject } from 'node:crypto';
import { type CertificateFields, parseCertificate } from './certificate.ts';
import { DerError, explicit, implicit } from './der.ts';
import { type GeneralName, isWithin } from './general-names.ts';
import { readDistinguishedName } from './names.ts';
import { type NameConstraints, type PathExtensions, readPathExtensions } from './path-extensions.ts';
import { isSignature, type SignatureAlgorithm } from './signature-algorithm.ts';

/** Certificates of a path at most, both ends counted. */
export const MAX_PATH = 20;

export type PathFaultKind =
  | 'length'
  | 'form'
  | 'loop'
  | 'issuer'
  | 'signature'
  | 'algorithm'
  | 'key'
  | 'not-yet-valid'
  | 'expired'
  | 'authority'
  | 'usage'
  | 'path-length'
  | 'name'
  | 'extension';

/** What is wrong with a path, and with which of its certificates. */
export interface PathFault {
  readonly fault: PathFaultKind;
  /** Place in the path, from 0. */
  readonly at: number;
}

export interface PathRules {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Milliseconds that a certificate may be used before its time, as clocks differ. */
  readonly early?: number;
  /** The key of a SubjectPublicKeyInfo; undefined for one that may not be used. */
  readonly openKey: (spki: Buffer) => KeyObject | undefined;
  readonly allowsAlgorithm: (algorithm: SignatureAlgorithm) => boolean;
  /** Whether the dates of the first certificate are of no concern. */
  readonly ignoresDates?: boolean;
}

interface Link extends CertificateFields {
  readonly extended: PathExtensions;
  readonly key: KeyObject | undefined;
}

function openLink(der: Buffer, { openKey }: PathRules): Link | undefined {
  try {
    const fields = parseCertificate(der);
    return { ...fields, extended: readPathExtensions(fields.extensions), key: openKey(fields.publicKey) };
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

const EMAIL_ADDRESS = '1.2.840.113549.1.9.1';

/** The names of a certificate that constraints are about: its subject, the mailboxes in it, and its alternative names. */
function constrainedNames({ subject, extended }: Link): GeneralName[] {
  const attributes = readDistinguishedName(subject);
  const mailboxes = attributes.filter(({ type }) => type === EMAIL_ADDRESS).map(({ content }) => ({ tag: implicit(1), content }));
  const own = attributes.length === 0 ? [] : [{ tag: explicit(4), content: subject }];
  return [...own, ...mailboxes, ...extended.alternativeNames];
}

/** Whether constraints allow a name; one of a form whose subtrees are not known here is not allowed. */
function allowsName({ permitted, excluded }: NameConstraints, name: GeneralName): boolean {
  const isOfForm = ({ tag }: GeneralName): boolean => tag === name.tag;
  const within = permitted.filter(isOfForm);
  if (within.length > 0 && !within.some((base) => isWithin(name, base) === true)) return false;
  return excluded.filter(isOfForm).every((base) => isWithin(name, base) === false);
}

/** Whether the constraints of an issuer allow the names; names that can't be read are not allowed. */
function allows({ extended: { constraints } }: Link, names: readonly GeneralName[]): boolean {
  if (constraints === undefined) return true;
  try {
    return names.every((name) => allowsName(constraints, name));
  } catch (error) {
    if (error instanceof DerError) return false;
    throw error;
  }
}

const isSelfIssued = ({ subject, issuer }: Link): boolean => subject.equals(issuer);

/** What is wrong with the link as one that signs `below` certificates of the path, those that issue themselves not counted. */
function issuerFault({ extended }: Link, below: number): PathFaultKind | undefined {
  if (!extended.authority) return 'authority';
  if (!extended.maySign) return 'usage';
  return extended.pathLength !== undefined && below > extended.pathLength ? 'path-length' : undefined;
}

function linkFault({ extended, key }: Link): PathFaultKind | undefined {
  if (extended.unknown !== undefined) return 'extension';
  return key === undefined ? 'key' : undefined;
}

function dateFault({ notBefore, notAfter }: Link, { now, early = 0 }: PathRules): PathFaultKind | undefined {
  if (now + early < notBefore) return 'not-yet-valid';
  return now > notAfter ? 'expired' : undefined;
}

function signatureFault(link: Link, issuer: Link, { allowsAlgorithm }: PathRules): PathFaultKind | undefined {
  const { algorithm, signed, signature } = link;
  if (!link.issuer.equals(issuer.subject)) return 'issuer';
  if (algorithm === undefined || !allowsAlgorithm(algorithm)) return 'algorithm';
  const { key } = issuer;
  // OpenSSL verifies by what the key is: an algorithm of another kind of key would be taken for one of its own.
  if (key?.asymmetricKeyType?.replace('rsa-pss', 'rsa') !== algorithm.kind) return 'signature';
  return isSignature(signed, signature, algorithm, key) ? undefined : 'signature';
}

/** Certificates between the one at `at` and the first of the path which do not issue themselves. */
const countBelow = (links: readonly Link[], at: number): number =>
  links.slice(1, at).filter((link) => !isSelfIssued(link)).length;

function faultAt(links: readonly Link[], at: number, rules: PathRules): PathFaultKind | undefined {
  const link = links[at];
  if (link === undefined) return 'length';
  const issuers = links.slice(at + 1);
  const [issuer] = issuers;
  const dates = at === 0 && rules.ignoresDates ? undefined : dateFault(link, rules);
  const fault = linkFault(link) ?? dates ?? (at === 0 ? undefined : issuerFault(link, countBelow(links, at)));
  if (fault !== undefined || issuer === undefined) return fault;
  // Section 6.1.3 (b): what issues itself is no last step down, unless it is the last one.
  if (at === 0 || !isSelfIssued(link)) {
    const names = constrainedNames(link);
    if (!issuers.every((each) => allows(each, names))) return 'name';
  }
  return signatureFault(link, issuer, rules);
}

/**
 * What is wrong with a path; undefined of one that holds. `path` is DER: the certificate in question first, the trust anchor
 * last. Of the anchor everything counts but who has signed it. Links are looked at from the anchor down.
 */
export function pathFault(path: readonly Buffer[], rules: PathRules): PathFault | undefined {
  if (path.length < 2 || path.length > MAX_PATH) return { fault: 'length', at: path.length };
  const repeated = path.findIndex((der, i) => path.findIndex((other) => other.equals(der)) !== i);
  if (repeated !== -1) return { fault: 'loop', at: repeated };
  const links = path.map((der) => openLink(der, rules));
  const broken = links.indexOf(undefined);
  if (broken !== -1) return { fault: 'form', at: broken };
  const opened = links.filter((link) => link !== undefined);
  for (let at = opened.length - 1; at >= 0; at -= 1) {
    const fault = faultAt(opened, at, rules);
    if (fault !== undefined) return { fault, at };
  }
  return undefined;
}

/** Whether the first of two certificates has signed the second: by name and signature alone, in DER. */
export function hasSigned(issuer: Buffer, certificate: Buffer, rules: PathRules): boolean {
  const [above, below] = [openLink(issuer, rules), openLink(certificate, rules)];
  return above !== undefined && below !== undefined && signatureFault(below, above, rules) === undefined;
}

/** What is wrong with a certificate as one that signs others; undefined when nothing is. Who has signed it is not looked at. */
export function authorityFault(certificate: Buffer, rules: PathRules): PathFaultKind | undefined {
  const link = openLink(certificate, rules);
  if (link === undefined) return 'form';
  return linkFault(link) ?? dateFault(link, rules) ?? issuerFault(link, 0);
}

/** Faults in words, of "the certificate". */
export const PATH_FAULT_TEXT: Readonly<Record<PathFaultKind, string>> = {
  length: `there are fewer than 2 certificates, or more than ${MAX_PATH}`,
  form: 'it can not be read',
  loop: 'it comes twice',
  issuer: 'its issuer is not the subject of the certificate above it',
  signature: 'its signature is not that of the key above it',
  algorithm: 'its signature algorithm is not supported',
  key: 'its public key is not supported',
  'not-yet-valid': 'it is not valid yet',
  expired: 'it has expired',
  authority: 'it is not a CA certificate: it does not have the basicConstraints extension as true',
  usage: 'its keyUsage does not allow it to sign certificates (keyCertSign)',
  'path-length': 'there are more certificates below it than its basicConstraints allow',
  name: 'a name of it is outside of the name constraints above it',
  extension: 'it has a critical extension that is not supported',
};
