/**
 * Temporary credentials that are not stored: the session token is sealed (AES-256-GCM) and holds the account, the expiry and
 * the certificate or role; the secret access key is an HMAC of it. They outlive a restart and expire by themselves.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { fail, RefusalNotes } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import { uniqueId } from './role-arn.ts';
import { sessionSecrets } from './store.ts';

/** The session of a device whose role alias names a role that IAM does not keep. */
export interface DeviceSession {
  readonly kind?: undefined;
  readonly accountId: string;
  readonly region: string;
  readonly roleArn: string;
  /** The certificate that the credentials were issued for. */
  readonly certificateId: string;
  readonly thingName?: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** The session of an IAM identity, whose permissions are read from IAM at each use. */
export type IdentitySession = RoleSession | UserSession;

interface IdentitySessionBase {
  readonly accountId: string;
  /** Milliseconds since the epoch; tokens of releases before this member have none. */
  readonly issuedAt?: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** The session of an assumed role; it ends when no role has this id. */
export interface RoleSession extends IdentitySessionBase {
  readonly kind: 'role';
  readonly roleId: string;
  readonly sessionName: string;
  /** Policies that limit the session: a document, and ARNs of managed policies. */
  readonly policy?: string;
  readonly policyArns?: readonly string[];
  /** The device that the credential provider has assumed the role for. */
  readonly device?: SessionDevice;
  /** ARN of the function that the role was assumed for. */
  readonly sourceFunctionArn?: string;
}

/** The device that got credentials by its certificate; they end with the certificate. */
export interface SessionDevice {
  readonly certificateId: string;
  readonly region: string;
  /** The thing that the device has named and that is attached to the certificate, and its type. */
  readonly thingName?: string;
  readonly thingTypeName?: string;
}

/** A user, or the account's root, with temporary credentials. */
export interface UserSession extends IdentitySessionBase {
  readonly kind: 'user' | 'root';
  /** The user's id; of the root, the access key that it asked with. */
  readonly id: string;
}

export interface TemporaryCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

const ALGORITHM = 'aes-256-gcm';
/** First byte of a token: the version of its format. */
const VERSION = 1;
const NONCE = 12;
const TAG = 16;
/** A role's ARN and a thing's name are the longest parts of a session. */
const LONGEST_TOKEN = 8_192;
const PREFIX = 'ASIA';

/** Reads the server's secret; creates it at the first call. */
async function secretOf(store: Store): Promise<Buffer> {
  const { secret } = await store.write(async (tx) => {
    const there = await tx.get(sessionSecrets, ['session-tokens']);
    if (there !== undefined) return there;
    const made = { name: 'session-tokens', secret: randomBytes(32).toString('base64') } as const;
    await tx.put(sessionSecrets, made);
    return made;
  });
  return Buffer.from(secret, 'base64');
}

/** Whether the secret exists: it is created at the first start, after the authorities. */
export const isSecretMade = (store: Store): Promise<boolean> =>
  store.read(async (tx) => (await tx.get(sessionSecrets, ['session-tokens'])) !== undefined);

const derive = (secret: Buffer, purpose: string): Buffer => Buffer.from(hkdfSync('sha256', secret, '', purpose, 32));

export class SessionTokens {
  readonly #seal: Buffer;
  readonly #secrets: Buffer;
  readonly #clock: Clock;

  private constructor(secret: Buffer, clock: Clock) {
    this.#seal = derive(secret, 'session tokens');
    this.#secrets = derive(secret, 'secret access keys');
    this.#clock = clock;
  }

  /** `store` is that of the whole server, not of one region. */
  static async open(store: Store, clock: Clock): Promise<SessionTokens> {
    return new SessionTokens(await secretOf(store), clock);
  }

  issue(session: DeviceSession | IdentitySession): TemporaryCredentials {
    const accessKeyId = uniqueId(PREFIX, randomBytes(16));
    const text = JSON.stringify(session.kind === undefined ? session : { ...session, issuedAt: this.#clock.now() });
    const head = Buffer.concat([Buffer.of(VERSION), randomBytes(NONCE)]);
    const cipher = createCipheriv(ALGORITHM, this.#seal, head.subarray(1)).setAAD(aad(accessKeyId));
    const sealed = Buffer.concat([head, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    const sessionToken = sealed.toString('base64');
    return { accessKeyId, secretAccessKey: this.#secretOf(accessKeyId, sessionToken), sessionToken };
  }

  /**
   * The session of a key id and its token, with the secret that they stand for; undefined when the two were not issued
   * together here. Fails with ExpiredTokenException once the session is over.
   */
  open(
    accessKeyId: string,
    sessionToken: string,
  ): { session: DeviceSession | IdentitySession; secretAccessKey: string } | undefined {
    const session = this.#unseal(accessKeyId, sessionToken);
    if (session === undefined) return undefined;
    if (this.#clock.now() >= session.expiresAt)
      fail('ExpiredTokenException', 'The security token included in the request is expired', {}, ended(session));
    return { session, secretAccessKey: this.#secretOf(accessKeyId, sessionToken) };
  }

  #unseal(accessKeyId: string, sessionToken: string): DeviceSession | IdentitySession | undefined {
    if (!accessKeyId.startsWith(PREFIX) || sessionToken.length > LONGEST_TOKEN) return undefined;
    const sealed = Buffer.from(sessionToken, 'base64');
    if (sealed.length <= 1 + NONCE + TAG || sealed[0] !== VERSION || sealed.toString('base64') !== sessionToken) return undefined;
    try {
      const decipher = createDecipheriv(ALGORITHM, this.#seal, sealed.subarray(1, 1 + NONCE), { authTagLength: TAG })
        .setAAD(aad(accessKeyId))
        .setAuthTag(sealed.subarray(-TAG));
      const text = Buffer.concat([decipher.update(sealed.subarray(1 + NONCE, -TAG)), decipher.final()]).toString('utf8');
      return JSON.parse(text) as DeviceSession | IdentitySession;
    } catch {
      // Not sealed by this server, or not for this key id.
      return undefined;
    }
  }

  /** The secret access key of a token: 40 characters, as on AWS. */
  #secretOf(accessKeyId: string, sessionToken: string): string {
    return createHmac('sha256', this.#secrets)
      .update(`${accessKeyId} ${sessionToken}`)
      .digest()
      .subarray(0, 30)
      .toString('base64');
  }
}

const ended = ({ accountId, expiresAt }: DeviceSession | IdentitySession): RefusalNotes =>
  new RefusalNotes({ accountId, advice: `The credentials ended at ${new Date(expiresAt).toISOString()}: get new ones.` });

/** The additional authenticated data of a token: it can be opened with its own key id only. */
const aad = (accessKeyId: string): Buffer => Buffer.from(`${VERSION} ${accessKeyId}`);
