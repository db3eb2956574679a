/**
 * A token behind any PKCS #11 module, as an element: its private keys are made in it, are sensitive and can't be extracted, and
 * are found by their label or id. The module runs in a process of its own (native/).
 */
import { randomBytes } from 'node:crypto';
import { parseCertificate } from '@thingkeep/x509/certificate.ts';
import { DerError, explicit, sequenceOf, TAG } from '@thingkeep/x509/der.ts';
import type { AttributeInput, Handle } from '../../native/cryptoki-memory.ts';
import { ATTRIBUTE, CLASS, KEY_TYPE, TOKEN_FLAG } from '../../native/cryptoki-numbers.ts';
import { ElementError, type KeyUse, type ObjectInfo, type SecureElement } from '../contract.ts';
import { checkDigest, checkRandomLength, pointOfSpki, spkiOfPoint } from '../p256.ts';
import type { TlsKey, TlsKeySource } from '../tls-key-source.ts';
import { Turns } from '../turns.ts';
import { defaultKeyOf, isObjectName, namedBy } from './object-names.ts';
import { type Pkcs11Uri, parsePkcs11Uri } from './pkcs11-uri.ts';
import { TokenSession } from './token-session.ts';

/** DER of the curve's name (RFC 5480 section 2.1.1.1), as CKA_EC_PARAMS has it. */
const P256 = Buffer.from('06082a8648ce3d030107', 'hex');
/** Bytes of an object. */
const CAPACITY = 65_536;
const NEW_ID = 16;
/** Marks objects that are data as the kit's. */
const APPLICATION = Buffer.from('thingkit');

const attribute = (type: number, value: AttributeInput['value']): AttributeInput => ({ type, value });
const ofClass = (objectClass: number): AttributeInput => attribute(ATTRIBUTE.class, objectClass);

/** X and Y of CKA_EC_POINT: a DER OCTET STRING of the point (PKCS #11 2.40 section 2.3.3), or the point as some tokens give it. */
export function pointOfAttribute(value: Buffer): Buffer {
  const point = value.length === 67 && value[0] === 0x04 && value[1] === 65 ? value.subarray(2) : value;
  if (point.length !== 65 || point[0] !== 0x04)
    throw new ElementError('not-supported', 'the key has no uncompressed point of P-256');
  return Buffer.from(point.subarray(1));
}

/** Attributes of a certificate that PKCS #11 wants; undefined where the content is none in DER. */
function certificateAttributes(content: Buffer): AttributeInput[] | undefined {
  try {
    const { subject, issuer, signed } = parseCertificate(content);
    return [
      ofClass(CLASS.certificate),
      // X.509.
      attribute(ATTRIBUTE.certificateType, 0),
      attribute(ATTRIBUTE.subject, subject),
      attribute(ATTRIBUTE.issuer, issuer),
      attribute(ATTRIBUTE.serialNumber, serialNumberOf(signed)),
    ];
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/** A token's serial number as the contract has it: hexadecimal digits as they are, other text as the digits of its bytes. */
const hexSerial = (serial: string): string =>
  /^([0-9a-f]{2})+$/i.test(serial) ? serial.toLowerCase() : Buffer.from(serial).toString('hex');

export class Pkcs11Element implements SecureElement, TlsKeySource {
  readonly kind = 'pkcs11';
  readonly defaultKey: string;
  readonly #uri: Pkcs11Uri;
  readonly #session: TokenSession;
  readonly #turns = new Turns();

  constructor(uri: Pkcs11Uri, session = new TokenSession(uri)) {
    this.#uri = uri;
    this.#session = session;
    this.defaultKey = defaultKeyOf(uri);
  }

  #find(name: string, objectClass: number): Promise<Handle[]> {
    const isKey = objectClass === CLASS.privateKey || objectClass === CLASS.publicKey;
    const kind = isKey ? [attribute(ATTRIBUTE.keyType, KEY_TYPE.ec)] : [];
    return this.#session.call('find', [ofClass(objectClass), ...kind, ...namedBy(name, this.#uri)]);
  }

  /** The one key of a name. Throws ElementError. */
  async #key(name: string, objectClass: number): Promise<Handle> {
    const [key, another] = await this.#find(name, objectClass);
    if (key === undefined)
      throw new ElementError(
        'not-found',
        `the token has no ${objectClass === CLASS.privateKey ? 'private' : 'public'} key ${name}`,
        {
          hint: this.#uri.pinSource === undefined ? 'tokens hide private keys without a PIN: pin-source=file:PATH' : undefined,
        },
      );
    if (another !== undefined)
      throw new ElementError('invalid', `the token has several keys ${name}`, { hint: 'id:HEX tells them apart' });
    return key;
  }

  identify() {
    return this.#turns.take(async () => {
      const { token } = await this.#session.token();
      const { manufacturer, model, serial, firmware } = token;
      const maker = manufacturer === '' ? 'unknown' : manufacturer;
      return { kind: this.kind, maker, model, serialNumber: hexSerial(serial), revision: firmware } as const;
    });
  }

  lockState() {
    return this.#turns.take(async () => {
      const { token } = await this.#session.token();
      const isLocked = (token.flags & TOKEN_FLAG.userPinLocked) !== 0;
      return {
        isReady: (token.flags & TOKEN_FLAG.userPinInitialized) !== 0 && !isLocked,
        parts: [{ name: 'user PIN', isLocked }],
      };
    });
  }

  async random(length: number): Promise<Buffer> {
    checkRandomLength(length);
    return this.#turns.take(() => this.#session.call('random', length));
  }

  async generateKey(key: string, uses: readonly KeyUse[] = ['sign']): Promise<Buffer> {
    const named = namedBy(key, this.#uri);
    return this.#turns.take(async () => {
      const old = [...(await this.#find(key, CLASS.privateKey)), ...(await this.#find(key, CLASS.publicKey))];
      const label = named.find(({ type }) => type === ATTRIBUTE.label)?.value ?? Buffer.from(this.#uri.object ?? '');
      const id = named.find(({ type }) => type === ATTRIBUTE.id)?.value ?? (await this.#idOf(old)) ?? randomBytes(NEW_ID);
      const common = [attribute(ATTRIBUTE.token, true), attribute(ATTRIBUTE.label, label), attribute(ATTRIBUTE.id, id)];
      const pair = await this.#session.call(
        'generateEcKeyPair',
        [...common, attribute(ATTRIBUTE.ecParams, P256), attribute(ATTRIBUTE.verify, true)],
        [
          ...common,
          attribute(ATTRIBUTE.private, true),
          attribute(ATTRIBUTE.sensitive, true),
          attribute(ATTRIBUTE.extractable, false),
          attribute(ATTRIBUTE.sign, uses.includes('sign')),
          attribute(ATTRIBUTE.derive, uses.includes('agree')),
        ],
      );
      await this.#checkKept(pair.privateKey, pair.publicKey);
      for (const object of old) await this.#session.call('destroy', object);
      return this.#spki(pair.publicKey);
    });
  }

  /** CKA_ID of the first of some objects that has one. */
  async #idOf(objects: readonly Handle[]): Promise<Buffer | undefined> {
    for (const object of objects) {
      const [id] = await this.#session.call('attributes', object, [ATTRIBUTE.id]);
      if (id !== undefined && id.length > 0) return id;
    }
    return undefined;
  }

  /** A key that the token would give out is taken away again. */
  async #checkKept(privateKey: Handle, publicKey: Handle): Promise<void> {
    const [sensitive, extractable] = await this.#session.call('attributes', privateKey, [
      ATTRIBUTE.sensitive,
      ATTRIBUTE.extractable,
    ]);
    if (sensitive?.[0] === 1 && extractable?.[0] === 0) return;
    for (const object of [privateKey, publicKey]) await this.#session.call('destroy', object);
    throw new ElementError('verification', 'the token has made a private key that can be read; it is gone again');
  }

  async #spki(object: Handle): Promise<Buffer> {
    const [params, point] = await this.#session.call('attributes', object, [ATTRIBUTE.ecParams, ATTRIBUTE.ecPoint]);
    if (point === undefined || params === undefined || !params.equals(P256))
      throw new ElementError('not-supported', 'the key is none of P-256');
    return spkiOfPoint(pointOfAttribute(point));
  }

  async publicKey(key: string): Promise<Buffer> {
    namedBy(key, this.#uri);
    return this.#turns.take(async () => this.#spki(await this.#key(key, CLASS.publicKey)));
  }

  async sign(key: string, digest: Buffer): Promise<Buffer> {
    namedBy(key, this.#uri);
    checkDigest(digest);
    return this.#turns.take(async () => {
      const signature = await this.#session.call('signDigest', await this.#key(key, CLASS.privateKey), digest);
      if (signature.length !== 64)
        throw new ElementError('element-fault', `a signature of ${signature.length} bytes is none of P-256`);
      return signature;
    });
  }

  async agree(key: string, peer: Buffer): Promise<Buffer> {
    namedBy(key, this.#uri);
    const point = Buffer.concat([Buffer.of(0x04), pointOfSpki(peer)]);
    return this.#turns.take(async () => {
      const secret = await this.#session.call('agree', await this.#key(key, CLASS.privateKey), point);
      if (secret.length !== 32)
        throw new ElementError('element-fault', `a shared secret of ${secret.length} bytes is none of P-256`);
      return secret;
    });
  }

  /** Certificates and data with labels that can be named; capacity is the kit's own bound. */
  objects(): Promise<ObjectInfo[]> {
    return this.#turns.take(async () => {
      const names = new Set<string>();
      for (const objectClass of [CLASS.certificate, CLASS.data])
        for (const object of await this.#session.call('find', [ofClass(objectClass)])) {
          const [label] = await this.#session.call('attributes', object, [ATTRIBUTE.label]);
          if (label !== undefined && isObjectName(label.toString())) names.add(label.toString());
        }
      return [...names].sort().map((name) => ({ name, capacity: CAPACITY }));
    });
  }

  async #objectsOf(name: string): Promise<Handle[]> {
    return [...(await this.#find(name, CLASS.certificate)), ...(await this.#findData(name))];
  }

  /** Data has a label, and no id. */
  #findData(name: string): Promise<Handle[]> | [] {
    return name.startsWith('id:')
      ? []
      : this.#session.call('find', [ofClass(CLASS.data), attribute(ATTRIBUTE.label, Buffer.from(name))]);
  }

  async #value(object: Handle, name: string): Promise<Buffer> {
    const [value] = await this.#session.call('attributes', object, [ATTRIBUTE.value]);
    if (value === undefined || value.length > CAPACITY)
      throw new ElementError('invalid', `the token's object ${name} can not be read, or has over ${CAPACITY} bytes`);
    return value;
  }

  async readObject(name: string): Promise<Buffer> {
    namedBy(name, this.#uri);
    return this.#turns.take(async () => {
      const [object, another] = await this.#objectsOf(name);
      if (object === undefined) throw new ElementError('not-found', `the token has no object ${name}`);
      if (another !== undefined) throw new ElementError('invalid', `the token has several objects ${name}`);
      return this.#value(object, name);
    });
  }

  /** A certificate in DER becomes a certificate of the token, with the id of the key of its label; other content becomes data. */
  async writeObject(name: string, content: Buffer): Promise<void> {
    namedBy(name, this.#uri);
    if (content.length > CAPACITY) throw new ElementError('invalid', `an object of a token has at most ${CAPACITY} bytes`);
    if (name.startsWith('id:')) throw new ElementError('invalid', 'objects are written by their label');
    return this.#turns.take(async () => {
      const old = await this.#objectsOf(name);
      const common = [
        attribute(ATTRIBUTE.token, true),
        attribute(ATTRIBUTE.label, Buffer.from(name)),
        attribute(ATTRIBUTE.private, false),
        attribute(ATTRIBUTE.value, content),
      ];
      const certificate = certificateAttributes(content);
      const id = certificate === undefined ? undefined : await this.#idOf(await this.#find(name, CLASS.privateKey));
      const object = await this.#session.call('create', [
        ...common,
        ...(certificate ?? [ofClass(CLASS.data), attribute(ATTRIBUTE.application, APPLICATION)]),
        ...(id === undefined ? [] : [attribute(ATTRIBUTE.id, id)]),
      ]);
      if (!(await this.#value(object, name)).equals(content)) {
        await this.#session.call('destroy', object);
        throw new ElementError('verification', `the token's object ${name} does not hold what was written to it`);
      }
      for (const each of old) await this.#session.call('destroy', each);
    });
  }

  tlsKey(key: string): Promise<TlsKey> {
    return this.#turns.take(async () => {
      const handle = await this.#key(key, CLASS.privateKey);
      const { module, token } = await this.#session.token();
      const [label] = await this.#session.call('attributes', handle, [ATTRIBUTE.label]);
      const keyLabel = label?.toString() ?? '';
      const same = await this.#session.call('find', [
        ofClass(CLASS.privateKey),
        attribute(ATTRIBUTE.label, label ?? Buffer.alloc(0)),
      ]);
      if (keyLabel === '' || same.length > 1)
        throw new ElementError(
          'not-supported',
          `TLS finds keys by their label, and that of ${key} is ${keyLabel === '' ? 'empty' : 'not its own'}`,
        );
      return { kind: 'pkcs11', module, slot: Number(token.slot), tokenLabel: token.label, keyLabel, pin: this.#session.pin };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turns.take(() => this.#session[Symbol.asyncDispose]());
  }
}

/** The number of the certificate (INTEGER, whole) in what is signed of it. */
function serialNumberOf(signed: Buffer): Buffer {
  const parts = sequenceOf(signed);
  parts.optional(explicit(0));
  return parts.value(TAG.integer).whole;
}

/** Throws ElementError `invalid`; the token is looked for with the first call. */
export const openPkcs11Element = (uri: string): Pkcs11Element => new Pkcs11Element(parsePkcs11Uri(uri));
