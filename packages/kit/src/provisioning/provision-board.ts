/**
 * One board, from its key to a registered thing: identify, key, certificate, write, read back and verify, register. Each
 * phase is in the journal before the next begins, so that a board that was cut off goes on where it was: no key is made anew
 * once a certificate may be there for it.
 */
import { createPublicKey, hash, randomBytes, verify, X509Certificate } from 'node:crypto';
import { certificateIdOf, parseCertificate } from '@thingkeep/x509/certificate.ts';
import { keyIdentifier } from '@thingkeep/x509/public-key.ts';
import { toPem } from '@thingkeep/x509/pem.ts';
import type { KitClock } from '../clock.ts';
import { ElementError, type ElementIdentity, type SecureElement } from '../elements/contract.ts';
import { elementSigner } from '../elements/element-signer.ts';
import type { ProvisioningState, Journal } from './journal.ts';
import type { CertificateStorage } from './storage.ts';
import type { X509Signer } from '@thingkeep/x509/signing.ts';

/** A certificate that was issued; what AWS IoT knows of it already. */
export interface IssuedCertificate {
  readonly device: Buffer;
  readonly chain: readonly Buffer[];
  readonly certificateId?: string;
}

export interface CertificateIssuer {
  /** Issues a certificate for the key of `signer`; it is not active yet where AWS IoT issues it. */
  issue(thingName: string, signer: X509Signer): Promise<IssuedCertificate>;
}

export interface ThingRegistry {
  /** Makes thing, certificate and policies what they have to be; once more changes nothing. Gives the certificate's id. */
  register(state: { readonly thingName: string; readonly certificate: string; readonly certificateId?: string }): Promise<string>;
}

export interface BoardPlan {
  /** Unique in its journal. */
  readonly board: string;
  readonly open: () => Promise<SecureElement>;
  /** The element's usual one where it is absent. */
  readonly key?: string;
  readonly thingName: (facts: { serialNumber: string; subjectKeyIdentifier: string }) => string;
  /** Keeps the key that is there, where there is one. */
  readonly keepsKey: boolean;
}

export interface ProvisioningParts {
  readonly journal: Journal;
  readonly clock: KitClock;
  readonly issuer: CertificateIssuer;
  /** Absent where devices register themselves. */
  readonly registry: ThingRegistry | undefined;
  readonly storageFor: (element: SecureElement, key: string, thingName: string) => CertificateStorage;
  /** Told how long each phase took, in milliseconds. */
  readonly timed: (phase: ProvisioningPhase, milliseconds: number) => void;
}

export const PROVISIONING_PHASES = ['identify', 'key', 'certificate', 'write', 'verify', 'register'] as const;
export type ProvisioningPhase = (typeof PROVISIONING_PHASES)[number];

/** Throws where the element does not sign a new random challenge with the key of the certificate. */
async function checkPossession(element: SecureElement, key: string, certificate: Buffer): Promise<void> {
  const publicKey = parseCertificate(certificate).publicKey;
  const challenge = randomBytes(32);
  const signature = await (await elementSigner(element, key)).sign({
    bytes: challenge,
    hash: 'sha256',
    digest: hash('sha256', challenge, 'buffer'),
  });
  if (!verify('sha256', challenge, createPublicKey({ key: publicKey, format: 'der', type: 'spki' }), signature))
    throw new ElementError('verification', `the certificate is not one for the key ${key} of the element`);
}

const sameSerial = (state: ProvisioningState, { serialNumber }: ElementIdentity): boolean => state.serialNumber === serialNumber;

class BoardRun {
  readonly #parts: ProvisioningParts;
  readonly #plan: BoardPlan;
  readonly #element: SecureElement;
  readonly #key: string;

  constructor(parts: ProvisioningParts, plan: BoardPlan, element: SecureElement) {
    this.#parts = parts;
    this.#plan = plan;
    this.#element = element;
    this.#key = plan.key ?? element.defaultKey;
  }

  async #timed<T>(phase: ProvisioningPhase, work: () => Promise<T>): Promise<T> {
    const { clock, timed } = this.#parts;
    const begin = clock.monotonic();
    try {
      return await work();
    } finally {
      timed(phase, clock.monotonic() - begin);
    }
  }

  #keep(state: Omit<ProvisioningState, 'time' | 'board'>): ProvisioningState {
    const whole = { board: this.#plan.board, ...state, time: new Date(this.#parts.clock.now()).toISOString() };
    this.#parts.journal.write(whole);
    return whole;
  }

  async run(): Promise<ProvisioningState> {
    const identity = await this.#timed('identify', () => this.#element.identify());
    const known = this.#parts.journal.state(this.#plan.board);
    if (known !== undefined && !sameSerial(known, identity))
      throw new ElementError(
        'verification',
        `the journal says that this board has the element ${known.serialNumber}, and it is ${identity.serialNumber}`,
      );
    this.#parts.journal.claim(this.#plan.board, 'element', identity.serialNumber);
    let state = known ?? (await this.#timed('key', () => this.#makeKey(identity)));
    await this.#checkKey(state);
    if (state.phase === 'key') state = await this.#timed('certificate', () => this.#issue(state));
    if (state.phase === 'certificate') {
      await this.#timed('write', () => this.#write(state));
      await this.#timed('verify', () => this.#verify(state));
      state = this.#keep({ ...state, phase: 'written' });
    }
    if (state.phase === 'written') state = await this.#timed('register', () => this.#register(state));
    return state;
  }

  async #makeKey({ serialNumber, maker, model }: ElementIdentity): Promise<ProvisioningState> {
    const publicKey = await this.#keyThere().then((found) => found ?? this.#element.generateKey(this.#key));
    const subjectKeyIdentifier = keyIdentifier(publicKey).toString('hex');
    const thingName = this.#plan.thingName({ serialNumber, subjectKeyIdentifier });
    this.#parts.journal.claim(this.#plan.board, 'thing', thingName);
    return this.#keep({ phase: 'key', serialNumber, maker, model, thingName, publicKey: publicKey.toString('base64') });
  }

  async #keyThere(): Promise<Buffer | undefined> {
    if (!this.#plan.keepsKey) return undefined;
    try {
      return await this.#element.publicKey(this.#key);
    } catch (error) {
      if (error instanceof ElementError && error.code === 'not-found') return undefined;
      throw error;
    }
  }

  /** A key that was made anew since would leave the certificate without one. */
  async #checkKey({ publicKey }: ProvisioningState): Promise<void> {
    const found = await this.#element.publicKey(this.#key);
    if (found.toString('base64') !== publicKey)
      throw new ElementError('verification', `the element holds another key in ${this.#key} than the journal says`);
  }

  async #issue(state: ProvisioningState): Promise<ProvisioningState> {
    const { device, chain, certificateId } = await this.#parts.issuer.issue(
      state.thingName,
      await elementSigner(this.#element, this.#key),
    );
    if (parseCertificate(device).publicKey.toString('base64') !== state.publicKey)
      throw new ElementError('verification', 'the certificate that was issued is for another key');
    return this.#keep({
      ...state,
      phase: 'certificate',
      certificate: toPem('CERTIFICATE', device),
      chain: chain.map((each) => toPem('CERTIFICATE', each)),
      certificateId,
    });
  }

  #certificates(state: ProvisioningState): { device: Buffer; chain: Buffer[] } {
    const der = (pem: string): Buffer => Buffer.from(new X509Certificate(pem).raw);
    return { device: der(state.certificate ?? ''), chain: (state.chain ?? []).map(der) };
  }

  async #write(state: ProvisioningState): Promise<void> {
    await this.#parts.storageFor(this.#element, this.#key, state.thingName).write(this.#element, this.#certificates(state));
  }

  async #verify(state: ProvisioningState): Promise<void> {
    const { device } = this.#certificates(state);
    const found = await this.#parts.storageFor(this.#element, this.#key, state.thingName).read(this.#element);
    if (!found.device.equals(device))
      throw new ElementError('verification', 'the certificate that was read back is not the one that was written');
    await checkPossession(this.#element, this.#key, found.device);
  }

  async #register(state: ProvisioningState): Promise<ProvisioningState> {
    const { thingName, certificate = '', certificateId } = state;
    const id = await (this.#parts.registry?.register({ thingName, certificate, certificateId }) ??
      certificateIdOf(this.#certificates(state).device));
    return this.#keep({ ...state, phase: 'done', certificateId: id });
  }
}

/** Provisions one board, from where its journal says it is. Throws ElementError, or what issuer and registry throw. */
export async function provisionBoard(parts: ProvisioningParts, plan: BoardPlan): Promise<ProvisioningState> {
  const known = parts.journal.state(plan.board);
  if (known?.phase === 'done') return known;
  await using element = await plan.open();
  return await new BoardRun(parts, plan, element).run();
}
