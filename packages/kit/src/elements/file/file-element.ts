/**
 * An element that is a folder: `file:PATH` names its default key, a PEM file of mode 0600, and the files beside it are its
 * other keys and its objects. For laptops, CI and gateways without a chip: whoever can read the file has the key.
 */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { replaceFile } from '../../files/replace-file.ts';
import { ElementError, type ObjectInfo, type SecureElement } from '../contract.ts';
import { parseElementUri } from '../element-uri.ts';
import { checkDigest, checkRandomLength, pointOfSpki, spkiOfPoint } from '../p256.ts';
import { agreeWithPoint, newPrivateKey, pointOfPrivateKey, signDigest } from '../p256-private.ts';
import type { TlsKey, TlsKeySource } from '../tls-key-source.ts';
import { Turns } from '../turns.ts';

/** Names of keys and objects: of files in one folder, none of them hidden. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** Bytes of an object. */
const CAPACITY = 65_536;
const KEY_MODE = 0o600;
const OBJECT_MODE = 0o644;

/** SEC 1 private key with its point, in PKCS #8 (RFC 5915, RFC 5958). */
function privateKeyPem(secret: Buffer): string {
  const point = pointOfPrivateKey(secret);
  const [x, y] = [point.subarray(0, 32), point.subarray(32)].map((part) => part.toString('base64url'));
  const key = createPrivateKey({ key: { kty: 'EC', crv: 'P-256', d: secret.toString('base64url'), x, y }, format: 'jwk' });
  return key.export({ type: 'pkcs8', format: 'pem' }) as string;
}

/** What the operating system said, as an element's error. */
function fileFault(error: unknown, what: string): ElementError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new ElementError('not-found', `there is no ${what}`, { cause: error });
  if (code === 'EACCES' || code === 'EPERM')
    return new ElementError('not-permitted', `${what} may not be opened by this user (${code})`, { cause: error });
  return new ElementError('communication', `${what}: ${message}`, { cause: error });
}

export class FileElement implements SecureElement, TlsKeySource {
  readonly kind = 'file';
  readonly defaultKey: string;
  readonly #folder: string;
  readonly #turns = new Turns();

  constructor(path: string) {
    if (path === '') throw new ElementError('invalid', 'file: names no file', { hint: 'such as file:device.key' });
    this.#folder = dirname(path);
    this.defaultKey = basename(path);
    this.#pathOf(this.defaultKey);
  }

  #pathOf(name: string): string {
    if (!NAME.test(name)) throw new ElementError('invalid', `${name} is no name of a file beside the key`);
    return join(this.#folder, name);
  }

  #secret(key: string): Buffer {
    const path = this.#pathOf(key);
    let pem: string;
    try {
      const { mode } = statSync(path);
      if ((mode & 0o077) !== 0)
        throw new ElementError('not-permitted', `${path} can be read by others (mode 0${(mode & 0o777).toString(8)})`, {
          hint: `chmod 600 ${path}`,
        });
      pem = readFileSync(path, 'utf8');
    } catch (error) {
      throw error instanceof ElementError ? error : fileFault(error, `key ${path}`);
    }
    return secretOf(pem, path);
  }

  async identify() {
    return { kind: this.kind, maker: 'Thingkeep', model: 'a folder of PEM files', serialNumber: '', revision: '' } as const;
  }

  /** A folder has no locks. */
  async lockState() {
    return { isReady: true, parts: [] };
  }

  async random(length: number): Promise<Buffer> {
    checkRandomLength(length);
    return randomBytes(length);
  }

  generateKey(key: string): Promise<Buffer> {
    return this.#turns.take(async () => {
      const path = this.#pathOf(key);
      const secret = newPrivateKey();
      try {
        mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
        replaceFile(path, privateKeyPem(secret), KEY_MODE);
      } catch (error) {
        throw fileFault(error, `folder for ${path}`);
      }
      return spkiOfPoint(pointOfPrivateKey(secret));
    });
  }

  async publicKey(key: string): Promise<Buffer> {
    return spkiOfPoint(pointOfPrivateKey(this.#secret(key)));
  }

  async sign(key: string, digest: Buffer): Promise<Buffer> {
    checkDigest(digest);
    return signDigest(this.#secret(key), digest);
  }

  async agree(key: string, peer: Buffer): Promise<Buffer> {
    return agreeWithPoint(this.#secret(key), pointOfSpki(peer));
  }

  /** The path of the key: whoever runs the agent can read it. */
  async tlsKey(key: string): Promise<TlsKey> {
    this.#secret(key);
    return { kind: 'file', path: this.#pathOf(key) };
  }

  async objects(): Promise<ObjectInfo[]> {
    let names: string[];
    try {
      names = readdirSync(this.#folder, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : []));
    } catch (error) {
      throw fileFault(error, `folder ${this.#folder}`);
    }
    return names
      .filter((name) => NAME.test(name) && !this.#isKey(name))
      .sort()
      .map((name) => ({ name, capacity: CAPACITY }));
  }

  /** Whether a file is none that may be read or written as an object. */
  #isKey(name: string): boolean {
    if (name === this.defaultKey || name.endsWith('.key') || name.endsWith('.new')) return true;
    try {
      const path = this.#pathOf(name);
      return statSync(path).size <= CAPACITY && readFileSync(path).includes('PRIVATE KEY-----');
    } catch {
      return false;
    }
  }

  #objectPath(name: string): string {
    const path = this.#pathOf(name);
    if (this.#isKey(name)) throw new ElementError('not-permitted', `${path} is a key, and no object`);
    return path;
  }

  async readObject(name: string): Promise<Buffer> {
    const path = this.#objectPath(name);
    try {
      if (statSync(path).size > CAPACITY) throw new ElementError('invalid', `${path} has over ${CAPACITY} bytes`);
      return readFileSync(path);
    } catch (error) {
      throw error instanceof ElementError ? error : fileFault(error, `object ${path}`);
    }
  }

  writeObject(name: string, content: Buffer): Promise<void> {
    return this.#turns.take(async () => {
      const path = this.#objectPath(name);
      if (content.length > CAPACITY) throw new ElementError('invalid', `an object of a folder has at most ${CAPACITY} bytes`);
      try {
        replaceFile(path, content, OBJECT_MODE);
      } catch (error) {
        throw fileFault(error, `folder for ${path}`);
      }
      if (!readFileSync(path).equals(content))
        throw new ElementError('verification', `${path} does not hold what was written to it`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** The number of a P-256 private key in PEM. */
function secretOf(pem: string, path: string): Buffer {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (cause) {
    throw new ElementError('invalid', `${path} holds no private key in PEM without a passphrase`, { cause });
  }
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new ElementError('not-supported', `the key in ${path} is ${describe(key)}, and elements have P-256 alone`);
  return Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url');
}

function describe(key: KeyObject): string {
  const { asymmetricKeyType = 'unknown', asymmetricKeyDetails } = createPublicKey(key);
  return asymmetricKeyDetails?.namedCurve ?? asymmetricKeyType;
}

export const openFileElement = (uri: string): FileElement => new FileElement(parseElementUri(uri, []).place);
