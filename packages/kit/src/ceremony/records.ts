/**
 * Records of a ceremony: one for each step, a JSON file beside what the step made. It holds what was made, whole, and the
 * digests of what it was made from, and is signed by the key that the step used; so a step can be taken up again after a cut,
 * and all of them be verified later, on another machine, from the files alone.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { elementSigner } from '../elements/element-signer.ts';
import type { SecureElement } from '../elements/contract.ts';
import { replaceFile } from '../files/replace-file.ts';

export const STEPS = ['root-ca', 'signer-ca-request', 'signer-ca', 'signer-ca-verification', 'signer-ca-registration'] as const;
export type StepName = (typeof STEPS)[number];

export const RECORD_FORMAT = 'thingkit-ceremony-record/1';

/** A file, by its name in the ceremony's folder and the SHA-256 of its content, in hexadecimal. */
export interface FileDigest {
  readonly name: string;
  readonly sha256: string;
}

export interface CeremonyRecord {
  readonly format: typeof RECORD_FORMAT;
  readonly step: StepName;
  /** ISO 8601. */
  readonly time: string;
  /** What the user asked for: the same step with something else is another step. */
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
  readonly from: readonly FileDigest[];
  readonly made: { readonly name: string; readonly content: string };
  /** What is worth knowing of it at a glance. */
  readonly facts: Readonly<Record<string, string>>;
  /** SubjectPublicKeyInfo of the key that signs the record, Base64; absent in a registration without the CA's key. */
  readonly signedBy?: string;
  /** ECDSA of SHA-256 over the JSON text of all members before this one, DER in Base64. */
  readonly signature?: string;
}

/** A ceremony's files that do not fit together. */
export class CeremonyError extends Error {
  override readonly name = 'CeremonyError';
}

export const sha256Of = (content: string): string => createHash('sha256').update(content).digest('hex');

const nameOf = (step: StepName): string => `${step}.record.json`;

/** The text of a file of the folder; undefined where it is missing. */
export function readText(folder: string, name: string): string | undefined {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const isText = (value: unknown): value is string => typeof value === 'string';

function isRecord(value: unknown): value is CeremonyRecord {
  const { format, step, time, parameters, from, made, facts, signedBy, signature } = (value ?? {}) as Record<string, unknown>;
  const { name, content } = (made ?? {}) as Record<string, unknown>;
  return (
    format === RECORD_FORMAT &&
    (STEPS as readonly unknown[]).includes(step) &&
    isText(time) &&
    typeof parameters === 'object' &&
    parameters !== null &&
    typeof facts === 'object' &&
    facts !== null &&
    Array.isArray(from) &&
    from.every((each) => isText((each as FileDigest | null)?.name) && isText((each as FileDigest).sha256)) &&
    isText(name) &&
    isText(content) &&
    (signedBy === undefined ? signature === undefined : isText(signedBy) && isText(signature))
  );
}

/** The record of a step; undefined where there is none. Throws CeremonyError where it is damaged. */
export function readRecord(folder: string, step: StepName): CeremonyRecord | undefined {
  const text = readText(folder, nameOf(step));
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (!isRecord(value) || value.step !== step) throw new CeremonyError(`${join(folder, nameOf(step))} is no record of this step`);
  return value;
}

const signedText = ({ signature: _, ...rest }: CeremonyRecord): Buffer => Buffer.from(JSON.stringify(rest), 'utf8');

/** Whether a record is signed by the key that it names. */
export function isSignedRecord(record: CeremonyRecord): boolean {
  const { signedBy, signature } = record;
  if (signedBy === undefined || signature === undefined) return false;
  try {
    const key = createPublicKey({ key: Buffer.from(signedBy, 'base64'), format: 'der', type: 'spki' });
    return verify('sha256', signedText(record), key, Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}

/** Signs a record with a key of an element. */
export async function signRecord(record: CeremonyRecord, element: SecureElement, key: string): Promise<CeremonyRecord> {
  const signer = await elementSigner(element, key);
  const named = { ...record, signedBy: signer.publicKey.toString('base64') };
  const bytes = signedText(named);
  const signature = await signer.sign({ bytes, hash: 'sha256', digest: createHash('sha256').update(bytes).digest() });
  const signed = { ...named, signature: signature.toString('base64') };
  if (!isSignedRecord(signed)) throw new CeremonyError('the element signed the record with another key than it names');
  return signed;
}

/** Writes the record, then what was made: a cut in between is mended from the record. */
export function keepRecord(folder: string, record: CeremonyRecord): void {
  replaceFile(join(folder, nameOf(record.step)), `${JSON.stringify(record, undefined, 2)}\n`, 0o644);
  replaceFile(join(folder, record.made.name), record.made.content, 0o644);
}
