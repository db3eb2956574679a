/**
 * The server's own certificates, one ECDSA and one RSA: made from the intermediates, kept in the key folder, renewed
 * when a third of their life is left, when the host names change, and when the file is damaged (it can be made again).
 */
import { alternativeNames } from '@thingkeep/x509/extensions.ts';
import { isHostName } from '@thingkeep/x509/host-names.ts';
import { commonNameOnly } from '@thingkeep/x509/names.ts';
import { serverProfile } from '@thingkeep/x509/profiles.ts';
import type { Clock } from '../runtime/clock.ts';
import {
  type CertifiedKey,
  chainPem,
  keyFileText,
  makeCertifiedKey,
  type OwnKeyKind,
  privateKeyPem,
  readKeyFileText,
} from './certified-key.ts';
import { AuthorityError, type KeyFolder } from './key-folder.ts';
import type { ServerCredential } from './operator-certificate.ts';
import type { OwnAuthorities } from './own-authorities.ts';

const FILES: Readonly<Record<OwnKeyKind, string>> = { ec: 'server-ecdsa.pem', rsa: 'server-rsa.pem' };
const LIFE = 365 * 86_400_000;
/** Upper bound of a common name (RFC 5280, appendix A.1). */
const LONGEST_COMMON_NAME = 64;
const ALWAYS = ['localhost', '127.0.0.1', '::1'];

/** PEM keys and chains, ECDSA first, and when they are to be made anew in milliseconds since the epoch. */
export interface HostCertificate {
  readonly key: readonly string[];
  readonly cert: readonly string[];
  readonly renewAt: number;
}

/** The names a server certificate is made out to: what the operator named, and this machine's own. */
export function certificateNames(hostNames: readonly string[]): string[] {
  const names = [...new Set([...hostNames, ...ALWAYS].map((name) => name.toLowerCase()))];
  for (const name of names)
    if (!isHostName(name))
      throw new AuthorityError(`"${name}" is no host name or address that a certificate could be made out to`);
  return names;
}

export interface ServerCertificatesOptions {
  readonly folder: KeyFolder;
  readonly clock: Clock;
  readonly authorities: OwnAuthorities;
  readonly names: readonly string[];
  /** Told of a file that was damaged and is made anew. */
  readonly onDamagedFile?: ((file: string) => void) | undefined;
}

export class ServerCertificates {
  readonly #folder: KeyFolder;
  readonly #clock: Clock;
  readonly #authorities: OwnAuthorities;
  readonly #names: readonly string[];
  readonly #current = new Map<OwnKeyKind, CertifiedKey>();

  readonly #onDamagedFile: ((file: string) => void) | undefined;

  constructor({ folder, clock, authorities, names, onDamagedFile }: ServerCertificatesOptions) {
    this.#folder = folder;
    this.#clock = clock;
    this.#authorities = authorities;
    this.#names = names;
    this.#onDamagedFile = onDamagedFile;
  }

  /** Reads or renews the certificates of these kinds; says whether any is new. */
  async refresh(kinds: readonly OwnKeyKind[]): Promise<boolean> {
    const renewed = await Promise.all(kinds.map((kind) => this.#refreshOne(kind)));
    return renewed.includes(true);
  }

  credential(kind: OwnKeyKind): ServerCredential | undefined {
    const certifiedKey = this.#current.get(kind);
    if (certifiedKey === undefined) return undefined;
    const { notAfter } = certifiedKey;
    return { kind, key: privateKeyPem(certifiedKey), cert: chainPem(certifiedKey), notAfter };
  }

  /** A certificate of each kind for another host name: not kept here, and due for renewal when the server's own would be. */
  async issueFor(hostName: string): Promise<HostCertificate> {
    const made = await Promise.all((['ec', 'rsa'] as const).map((kind) => this.#make(kind, [hostName])));
    return {
      key: made.map(privateKeyPem),
      cert: made.map(chainPem),
      renewAt: Math.min(...made.map(({ notBefore, notAfter }) => notAfter - (notAfter - notBefore) / 3)),
    };
  }

  async #refreshOne(kind: OwnKeyKind): Promise<boolean> {
    const kept = this.#current.get(kind) ?? (await this.#read(kind));
    if (kept !== undefined && this.#stillGood(kept, kind)) {
      this.#current.set(kind, kept);
      return false;
    }
    const fresh = await this.#make(kind);
    await this.#folder.write(FILES[kind], keyFileText(fresh));
    this.#current.set(kind, fresh);
    return true;
  }

  /** The certificate of the file; undefined when there is none, or it does not hold under the authority above it. */
  async #read(kind: OwnKeyKind): Promise<CertifiedKey | undefined> {
    const text = await this.#folder.read(FILES[kind]);
    if (text === undefined) return undefined;
    const certifiedKey = readKeyFileText(text);
    if (certifiedKey === undefined) this.#onDamagedFile?.(this.#folder.fileOf(FILES[kind]));
    else if (text !== keyFileText(certifiedKey)) await this.#folder.write(FILES[kind], keyFileText(certifiedKey));
    return certifiedKey;
  }

  #stillGood(certifiedKey: CertifiedKey, kind: OwnKeyKind): boolean {
    const now = this.#clock.now();
    const life = certifiedKey.notAfter - certifiedKey.notBefore;
    const [own, above] = certifiedKey.chain;
    return (
      now >= certifiedKey.notBefore &&
      certifiedKey.notAfter - now >= life / 3 &&
      own?.includes(alternativeNames(this.#names)) === true &&
      this.#issuer(kind).chain[0]?.equals(above ?? Buffer.alloc(0)) === true
    );
  }

  #issuer(kind: OwnKeyKind): CertifiedKey {
    return kind === 'ec' ? this.#authorities.ecdsaIntermediate : this.#authorities.rsaIntermediate;
  }

  #make(kind: OwnKeyKind, hostNames: readonly string[] = this.#names): Promise<CertifiedKey> {
    const issuer = this.#issuer(kind);
    const now = this.#clock.now();
    const notAfter = Math.min(now + LIFE, issuer.notAfter);
    const commonName = hostNames.find((name) => name.length <= LONGEST_COMMON_NAME) ?? 'localhost';
    return makeCertifiedKey(
      kind,
      (key) => serverProfile(commonNameOnly(commonName), key, now, notAfter, { hostNames, rsa: kind === 'rsa' }),
      { certifiedKey: issuer, send: true },
    );
  }
}
