/**
 * The certificate authority, opened: holds the keys in DATA_DIR/ca, gives the listeners their server certificates, and
 * issues devices' certificates in two steps (prepare, issue). Never sees a socket, imports no other domain.
 */
import { createPublicKey, generateKeyPair, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { fail } from '@thingkeep/wire/errors.ts';
import { certificateIdOf } from '@thingkeep/x509/certificate.ts';
import { toPem } from '@thingkeep/x509/pem.ts';
import { deviceProfile } from '@thingkeep/x509/profiles.ts';
import { isIssuedBy, isProven } from '@thingkeep/x509/proof.ts';
import type { Clock } from '../runtime/clock.ts';
import { asIssuer, certificatePem, type CertifiedKey } from './certified-key.ts';
import { issueCertificate, type Issuer } from './issue.ts';
import { KeyFolder } from './key-folder.ts';
import { DEFAULT_SUBJECT } from './names.ts';
import { type OperatorCertificate, readOperatorCertificate, type ServerCredential } from './operator-certificate.ts';
import { openOwnAuthorities } from './own-authorities.ts';
import { type PreparedCertificate, prepareFromCsr } from './prepare.ts';
import { type ReadCertificate, readCertificate } from './read-certificate.ts';
import { Semaphore } from './semaphore.ts';
import { certificateNames, type HostCertificate, ServerCertificates } from './server-certificates.ts';

export interface IssuedCertificate {
  readonly certificatePem: string;
  readonly certificateId: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface IssuedKeysAndCertificate extends IssuedCertificate {
  readonly publicKeyPem: string;
  readonly privateKeyPem: string;
}

/** What issues devices' certificates; all that the registry needs of an authority. */
export interface DeviceIssuer {
  /** Reads and checks a certificate signing request in PEM; fails with InvalidRequestException. */
  prepareFromCsr(pem: string): PreparedCertificate;
  issue(prepared: PreparedCertificate): Promise<IssuedCertificate>;
  issueWithNewKey(): Promise<IssuedKeysAndCertificate>;
}

export interface ServedCertificate {
  readonly kind: 'ec' | 'rsa';
  /** PEM, its chain behind it. */
  readonly cert: string;
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
}

export interface Authority extends DeviceIssuer {
  /** Both roots, ECDSA first: what devices are given to trust. */
  readonly rootCaPem: string;
  readonly ecdsaRootPem: string;
  readonly rsaRootPem: string;
  /** The certificate that signs devices' certificates. */
  readonly deviceIssuerPem: string;
  /** When these expire, in milliseconds since the epoch. */
  readonly notAfter: Readonly<Record<'ecdsaRoot' | 'rsaRoot' | 'deviceIssuer', number>>;
  /** For the `key` and `cert` of a TLS server, ECDSA first. */
  serverCredentials(): { key: string[]; cert: string[] };
  /** The same certificates by their kind of key. */
  serverCertificates(): readonly ServedCertificate[];
  /** Certifies a host name beside the server's own, with a fresh key of each kind. */
  issueServerCertificate(hostName: string): Promise<HostCertificate>;
  /** Renews the server's certificates when it is time; says whether any is new. */
  rotateIfDue(): Promise<boolean>;
}

export interface AuthorityOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly hostNames: readonly string[];
  readonly ownServerCertificate?: OperatorCertificate | undefined;
  /** Told of a key file that was damaged and is made anew. */
  readonly onDamagedFile?: (file: string) => void;
}

const generate = promisify(generateKeyPair);

/** Finding an RSA key keeps a processor busy for some 50 ms; those who wait are served within a client's patience. */
const KEY_MAKING = { atATime: 2, inWait: 1000 };

const unproven = (): never =>
  fail('InternalFailureException', 'The certificate does not verify under its issuer: it was not issued.');

class DeviceCertificates implements DeviceIssuer {
  readonly #issuer: Issuer;
  readonly #issuerCertificate: X509Certificate;
  readonly #clock: Clock;
  readonly #semaphore = new Semaphore(KEY_MAKING);
  readonly prepareFromCsr = prepareFromCsr;

  constructor(issuer: CertifiedKey, clock: Clock) {
    this.#issuer = asIssuer(issuer);
    this.#issuerCertificate = new X509Certificate(certificatePem(issuer));
    this.#clock = clock;
  }

  async issue({ subject, publicKey }: PreparedCertificate): Promise<IssuedCertificate> {
    const profile = deviceProfile(subject, publicKey, this.#clock.now());
    const der = await issueCertificate(profile, this.#issuer);
    const pem = toPem('CERTIFICATE', der);
    let read: ReadCertificate;
    try {
      // A subject is carried over as sent; one that makes an unreadable certificate is refused here.
      read = readCertificate(pem);
    } catch (cause) {
      return fail(
        'InvalidRequestException',
        'CSR violates constraints: its subject can not be put into a certificate',
        undefined,
        cause,
      );
    }
    if (!isIssuedBy(read.x509, this.#issuerCertificate)) unproven();
    // A certificate carries whole seconds.
    const wholeSecond = (time: number): number => Math.floor(time / 1000) * 1000;
    return {
      certificatePem: pem,
      certificateId: certificateIdOf(der),
      notBefore: wholeSecond(profile.notBefore),
      notAfter: wholeSecond(profile.notAfter),
    };
  }

  async issueWithNewKey(): Promise<IssuedKeysAndCertificate> {
    const { privateKey } = await this.#semaphore.run(() => generate('rsa', { modulusLength: 2048 }));
    const publicKey = createPublicKey(privateKey);
    const issued = await this.issue({ subject: DEFAULT_SUBJECT, publicKey: publicKey.export({ type: 'spki', format: 'der' }) });
    if (!isProven(privateKey, [new X509Certificate(issued.certificatePem).raw])) unproven();
    return {
      ...issued,
      publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
      privateKeyPem: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    };
  }
}

/** Opens the authority in `folder`; makes its keys on the first start. Fails with AuthorityError, in an operator's words. */
export async function openAuthority({
  folder,
  clock,
  hostNames,
  ownServerCertificate,
  onDamagedFile,
}: AuthorityOptions): Promise<Authority> {
  // The operator's faults come to light before anything is written.
  const names = certificateNames(hostNames);
  const brought = ownServerCertificate === undefined ? undefined : readOperatorCertificate(ownServerCertificate, clock.now());
  const keys = await KeyFolder.open(folder);
  const authorities = await openOwnAuthorities(keys, clock);
  const server = new ServerCertificates({ folder: keys, clock, authorities, names, onDamagedFile });
  const ownKinds = (['ec', 'rsa'] as const).filter((kind) => kind !== brought?.kind);
  await server.refresh(ownKinds);

  const hostKeys = new Semaphore(KEY_MAKING);
  const devices = new DeviceCertificates(authorities.deviceIssuer, clock);
  const served = (): ServerCredential[] =>
    (['ec', 'rsa'] as const).flatMap((kind) => {
      const credential = brought?.kind === kind ? brought : server.credential(kind);
      return credential === undefined ? [] : [credential];
    });
  let rotating: Promise<boolean> | undefined;
  const ecdsaRootPem = certificatePem(authorities.ecdsaRoot);
  const rsaRootPem = certificatePem(authorities.rsaRoot);
  return {
    rootCaPem: ecdsaRootPem + rsaRootPem,
    ecdsaRootPem,
    rsaRootPem,
    deviceIssuerPem: certificatePem(authorities.deviceIssuer),
    notAfter: {
      ecdsaRoot: authorities.ecdsaRoot.notAfter,
      rsaRoot: authorities.rsaRoot.notAfter,
      deviceIssuer: authorities.deviceIssuer.notAfter,
    },
    serverCredentials() {
      const all = served();
      return { key: all.map((each) => each.key), cert: all.map((each) => each.cert) };
    },
    serverCertificates: () => served().map(({ kind, cert, notAfter }) => ({ kind, cert, notAfter })),
    issueServerCertificate: (hostName) => hostKeys.run(() => server.issueFor(hostName)),
    rotateIfDue() {
      rotating ??= server.refresh(ownKinds).finally(() => {
        rotating = undefined;
      });
      return rotating;
    },
    prepareFromCsr,
    issue: (prepared) => devices.issue(prepared),
    issueWithNewKey: () => devices.issueWithNewKey(),
  };
}
