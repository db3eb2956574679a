/**
 * The steps of a ceremony: root, the signer's request, the signer, the proof of its key, its registration. Each leaves a file
 * and a record in a folder; what is carried between machines are these files. A step that was done gives its result again.
 */
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { CERTIFICATE_LABELS, parseCertificate } from '@thingkeep/x509/certificate.ts';
import { CSR_LABELS, isSelfSigned, parseCsr } from '@thingkeep/x509/csr.ts';
import { onePemBlock, toPem } from '@thingkeep/x509/pem.ts';
import { keyIdentifier, openPublicKey } from '@thingkeep/x509/public-key.ts';
import { writeCertificateContent } from '@thingkeep/x509/write-certificate.ts';
import { writeCsr } from '@thingkeep/x509/write-csr.ts';
import { subjectName } from '../certificates/subject.ts';
import type { KitClock } from '../clock.ts';
import type { SecureElement } from '../elements/contract.ts';
import { elementSigner } from '../elements/element-signer.ts';
import { replaceFile } from '../files/replace-file.ts';
import {
  CeremonyError,
  type CeremonyRecord,
  keepRecord,
  readRecord,
  readText,
  RECORD_FORMAT,
  sha256Of,
  signRecord,
  type StepName,
} from './records.ts';
import {
  type Authority,
  rootContent,
  signerContent,
  signerRequestExtensions,
  type TemplateName,
  verificationContent,
} from './templates.ts';

/** What a step makes, in the ceremony's folder. */
export const MADE: Readonly<Record<StepName, string>> = {
  'root-ca': 'root-ca.crt',
  'signer-ca-request': 'signer-ca.csr',
  'signer-ca': 'signer-ca.crt',
  'signer-ca-verification': 'signer-ca-verification.crt',
  'signer-ca-registration': 'signer-ca-registration.json',
};

export interface CeremonyKey {
  readonly element: SecureElement;
  readonly key: string;
}

export interface Ceremony {
  readonly folder: string;
  readonly clock: KitClock;
}

/** How a step ended: what it made, and whether it had been done before. */
export interface StepResult {
  readonly record: CeremonyRecord;
  readonly isRepeated: boolean;
}

interface StepPlan {
  readonly step: StepName;
  readonly parameters: CeremonyRecord['parameters'];
  /** Names of files of the folder that it reads. */
  readonly from: readonly string[];
  /** What signs the record; absent in a registration without the CA's key. */
  readonly signer: CeremonyKey | undefined;
  make(): Promise<{ content: string; facts: CeremonyRecord['facts'] }>;
}

const needText = (folder: string, name: string): string => {
  const text = readText(folder, name);
  if (text === undefined) throw new CeremonyError(`${join(folder, name)} is missing: the step that makes it comes first`);
  return text;
};

const digestsOf = (folder: string, names: readonly string[]) =>
  names.map((name) => ({ name, sha256: sha256Of(needText(folder, name)) }));

/** A step that was done before: the same again, its file mended where a cut had kept it from being written. */
function repeated({ folder }: Ceremony, record: CeremonyRecord, { parameters, from }: StepPlan): StepResult {
  const place = join(folder, record.made.name);
  for (const [name, value] of Object.entries(parameters))
    if (record.parameters[name] !== value)
      throw new CeremonyError(`this step was done with ${name} ${record.parameters[name]}, and now ${value} is asked for`);
  for (const { name, sha256 } of digestsOf(folder, from))
    if (record.from.find((each) => each.name === name)?.sha256 !== sha256)
      throw new CeremonyError(`${join(folder, name)} is another than this step was done with`);
  const found = readText(folder, record.made.name);
  if (found === undefined) replaceFile(place, record.made.content, 0o644);
  else if (found !== record.made.content) throw new CeremonyError(`${place} is not what the record says was made`);
  return { record, isRepeated: true };
}

async function doStep(ceremony: Ceremony, plan: StepPlan): Promise<StepResult> {
  const { folder, clock } = ceremony;
  const { step, parameters, from, signer } = plan;
  const known = readRecord(folder, step);
  if (known !== undefined) return repeated(ceremony, known, plan);
  const name = MADE[step];
  if (readText(folder, name) !== undefined)
    throw new CeremonyError(
      `${join(folder, name)} is there, and no record says how it was made: move it away, or work in another folder`,
    );
  const digests = digestsOf(folder, from);
  const { content, facts } = await plan.make();
  const record: CeremonyRecord = {
    format: RECORD_FORMAT,
    step,
    time: new Date(clock.now()).toISOString(),
    parameters,
    from: digests,
    made: { name, content },
    facts,
  };
  const signed = signer === undefined ? record : await signRecord(record, signer.element, signer.key);
  keepRecord(folder, signed);
  return { record: signed, isRepeated: false };
}

/** The public key; where there is none yet, a new key is made. */
async function keyOrNew({ element, key }: CeremonyKey): Promise<Buffer> {
  try {
    return await element.publicKey(key);
  } catch (error) {
    if ((error as { code?: string }).code !== 'not-found') throw error;
    return element.generateKey(key);
  }
}

/** The DER of the one PEM block that a file of the ceremony holds. */
function derOf(folder: string, name: string, labels: readonly string[]): Buffer {
  const block = onePemBlock(needText(folder, name), labels);
  if (block === undefined) throw new CeremonyError(`${join(folder, name)} does not hold one PEM block`);
  return block;
}

export function authorityIn(folder: string, step: 'root-ca' | 'signer-ca'): Authority {
  const { subject, publicKey } = parseCertificate(derOf(folder, MADE[step], CERTIFICATE_LABELS));
  return { subject, publicKey };
}

const certificateFacts = (der: Buffer): CeremonyRecord['facts'] => {
  const { subject, issuer, serialNumber, validFrom, validTo, fingerprint256 } = new X509Certificate(der);
  return { subject, issuer, serialNumber, validFrom, validTo, fingerprint256 };
};

async function certificate(content: Parameters<typeof writeCertificateContent>[0], signer: CeremonyKey) {
  const der = await writeCertificateContent(content, await elementSigner(signer.element, signer.key));
  return { content: toPem('CERTIFICATE', der), facts: certificateFacts(der) };
}

export interface AuthorityParameters {
  readonly template: TemplateName;
  /** As `/O=Example Inc/CN=Example Root CA`. */
  readonly subject: string;
  readonly years: number;
}

/** Makes the root's certificate; its key is made where the element has none. */
export function makeRoot(
  ceremony: Ceremony,
  { template, subject, years }: AuthorityParameters,
  signer: CeremonyKey,
): Promise<StepResult> {
  return doStep(ceremony, {
    step: 'root-ca',
    parameters: { template, subject, years },
    from: [],
    signer,
    async make() {
      const publicKey = await keyOrNew(signer);
      return certificate(
        rootContent({ template, subject: subjectName(subject), years, now: ceremony.clock.now() }, publicKey),
        signer,
      );
    },
  });
}

/** Makes the signer's request; its key is made where the element has none. */
export function requestSigner(ceremony: Ceremony, subject: string, signer: CeremonyKey): Promise<StepResult> {
  return doStep(ceremony, {
    step: 'signer-ca-request',
    parameters: { subject },
    from: [],
    signer,
    async make() {
      const publicKey = await keyOrNew(signer);
      const name = subjectName(subject);
      const der = await writeCsr(name, await elementSigner(signer.element, signer.key), signerRequestExtensions(publicKey));
      return {
        content: toPem('CERTIFICATE REQUEST', der),
        facts: { subject, subjectKeyIdentifier: keyIdentifier(publicKey).toString('hex') },
      };
    },
  });
}

/** Makes the signer's certificate from its request, with the root's key. */
export function makeSigner(
  ceremony: Ceremony,
  { template, years }: Omit<AuthorityParameters, 'subject'>,
  root: CeremonyKey,
): Promise<StepResult> {
  const { folder, clock } = ceremony;
  return doStep(ceremony, {
    step: 'signer-ca',
    parameters: { template, years },
    from: [MADE['signer-ca-request'], MADE['root-ca']],
    signer: root,
    async make() {
      const request = parseCsr(derOf(folder, MADE['signer-ca-request'], CSR_LABELS));
      if (!isSelfSigned(request, openPublicKey(request.publicKey)))
        throw new CeremonyError(`${join(folder, MADE['signer-ca-request'])} is not signed by the key that it asks for`);
      const authority = authorityIn(folder, 'root-ca');
      if (!(await root.element.publicKey(root.key)).equals(authority.publicKey))
        throw new CeremonyError(`the key ${root.key} is not the one of ${join(folder, MADE['root-ca'])}`);
      return certificate(
        signerContent({ template, subject: request.subject, years, now: clock.now() }, request.publicKey, authority),
        root,
      );
    },
  });
}

/** Makes the proof that the signer's key is held, for a registration code. */
export function proveSigner(ceremony: Ceremony, code: string, signer: CeremonyKey): Promise<StepResult> {
  const { folder, clock } = ceremony;
  return doStep(ceremony, {
    step: 'signer-ca-verification',
    parameters: { code },
    from: [MADE['signer-ca']],
    signer,
    async make() {
      const authority = authorityIn(folder, 'signer-ca');
      if (!(await signer.element.publicKey(signer.key)).equals(authority.publicKey))
        throw new CeremonyError(`the key ${signer.key} is not the one of ${join(folder, MADE['signer-ca'])}`);
      return certificate(verificationContent(code, authority, clock.now()), signer);
    },
  });
}

/** What a registered CA is, as AWS IoT says; members in the order in which they are written. */
export interface Registration {
  readonly certificateId: string;
  readonly certificateArn: string;
  readonly status: string;
  readonly autoRegistrationStatus: string;
  readonly endpointAddress: string;
}

/** Registers the signer by `register`, which asks AWS IoT; signed by the signer's key where it is at hand. */
export function registerSigner(
  ceremony: Ceremony,
  parameters: CeremonyRecord['parameters'],
  signer: CeremonyKey | undefined,
  register: (certificates: { caCertificate: string; verificationCertificate: string }) => Promise<Registration>,
): Promise<StepResult> {
  const { folder } = ceremony;
  return doStep(ceremony, {
    step: 'signer-ca-registration',
    parameters,
    from: [MADE['signer-ca'], MADE['signer-ca-verification']],
    signer,
    async make() {
      const registration = await register({
        caCertificate: needText(folder, MADE['signer-ca']),
        verificationCertificate: needText(folder, MADE['signer-ca-verification']),
      });
      return { content: `${JSON.stringify(registration, undefined, 2)}\n`, facts: { ...registration } };
    },
  });
}
