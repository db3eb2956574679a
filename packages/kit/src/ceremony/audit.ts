/** Verifies a ceremony from its files alone: signatures of records, digests of files, and that the certificates fit together. */
import { X509Certificate } from 'node:crypto';
import { CERTIFICATE_LABELS, parseCertificate } from '@thingkeep/x509/certificate.ts';
import { CSR_LABELS, parseCsr } from '@thingkeep/x509/csr.ts';
import { onePemBlock } from '@thingkeep/x509/pem.ts';
import {
  CeremonyError,
  type CeremonyRecord,
  isSignedRecord,
  readRecord,
  readText,
  sha256Of,
  STEPS,
  type StepName,
} from './records.ts';

export interface AuditedStep {
  readonly step: StepName;
  readonly time: string;
  readonly made: string;
  /** Whether the record is signed; a registration without the CA's key is not. */
  readonly isSigned: boolean;
  /** What is wrong with it, a sentence each. */
  readonly faults: readonly string[];
}

/** SubjectPublicKeyInfo of what a step made; undefined where that is no certificate and no request, or damaged. */
function keyOfMade({ step, made }: CeremonyRecord): Buffer | undefined {
  try {
    if (step === 'signer-ca-request') return parseCsr(onePemBlock(made.content, CSR_LABELS) ?? Buffer.alloc(0)).publicKey;
    return parseCertificate(onePemBlock(made.content, CERTIFICATE_LABELS) ?? Buffer.alloc(0)).publicKey;
  } catch {
    return undefined;
  }
}

type Records = Partial<Record<StepName, CeremonyRecord>>;

/** The step whose certificate or request has the key that signs this step's record. */
const SIGNED_LIKE: Readonly<Record<StepName, StepName>> = {
  'root-ca': 'root-ca',
  'signer-ca-request': 'signer-ca-request',
  'signer-ca': 'root-ca',
  'signer-ca-verification': 'signer-ca-request',
  'signer-ca-registration': 'signer-ca-request',
};

/** The step whose certificate has signed this step's one. */
const ISSUER: Partial<Readonly<Record<StepName, StepName>>> = {
  'root-ca': 'root-ca',
  'signer-ca': 'root-ca',
  'signer-ca-verification': 'signer-ca',
};

function issuerFaults(record: CeremonyRecord, records: Records): string[] {
  const issuer = ISSUER[record.step];
  const above = issuer === undefined ? undefined : records[issuer];
  if (above === undefined) return [];
  try {
    const certificate = new X509Certificate(record.made.content);
    const authority = new X509Certificate(above.made.content);
    return certificate.checkIssued(authority) && certificate.verify(authority.publicKey)
      ? []
      : [`${record.made.name} is not signed by ${above.made.name}`];
  } catch {
    return [`${record.made.name} is no certificate`];
  }
}

function signatureFaults(record: CeremonyRecord, records: Records): string[] {
  if (record.signedBy === undefined) return record.step === 'signer-ca-registration' ? [] : ['the record is not signed'];
  if (!isSignedRecord(record)) return ['the signature of the record is wrong'];
  const like = records[SIGNED_LIKE[record.step]];
  // On the machine of the root there may be no record of the signer's own.
  const expected = like === undefined ? undefined : keyOfMade(like);
  return expected === undefined || expected.toString('base64') === record.signedBy ? [] : ['the record is signed by another key'];
}

function fileFaults(folder: string, record: CeremonyRecord): string[] {
  const made = readText(folder, record.made.name);
  return [
    ...(made === undefined ? [`${record.made.name} is missing`] : []),
    ...(made !== undefined && made !== record.made.content ? [`${record.made.name} is not what the record says was made`] : []),
    ...record.from.flatMap(({ name, sha256 }) => {
      const text = readText(folder, name);
      if (text === undefined) return [`${name} is missing`];
      return sha256Of(text) === sha256 ? [] : [`${name} is another than the step was done with`];
    }),
  ];
}

/** All steps whose records are in the folder, in order. Throws CeremonyError where there is none, or one is damaged. */
export function auditCeremony(folder: string): AuditedStep[] {
  const records: Records = {};
  for (const step of STEPS) records[step] = readRecord(folder, step);
  const found = STEPS.flatMap((step) => records[step] ?? []);
  if (found.length === 0) throw new CeremonyError(`${folder} holds no record of a ceremony`);
  return found.map((record) => ({
    step: record.step,
    time: record.time,
    made: record.made.name,
    isSigned: record.signedBy !== undefined,
    faults: [...signatureFaults(record, records), ...issuerFaults(record, records), ...fileFaults(folder, record)],
  }));
}
