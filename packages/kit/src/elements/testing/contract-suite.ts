/** The contract of elements/contract.ts, tried: every kind of element runs it. */
import assert from 'node:assert/strict';
import { createHash, createPublicKey, diffieHellman, generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import { ElementError, type ElementErrorCode, type SecureElement } from '../contract.ts';

export interface ContractCase {
  /** Opens the element, ready for keys to be made in it; called again after it was closed, it has the same content. */
  readonly open: () => Promise<SecureElement>;
  /** Keys that can be made, sign and agree. */
  readonly keys: readonly [string, string];
  /** A key's name that is well formed and has no key. */
  readonly emptyKey: string;
  /** A key's name that is none. */
  readonly malformedKey: string;
  /** An object that may be written, and the length of content that it takes. */
  readonly object: { readonly name: string; readonly length: number };
  readonly malformedObject: string;
}

export const refuses = (code: ElementErrorCode | readonly ElementErrorCode[]) => (error: unknown) => {
  assert.ok(error instanceof ElementError, String(error));
  assert.ok([code].flat().includes(error.code), `${error.code}: ${error.message}`);
  assert.notEqual(error.message, '');
  return true;
};

const MESSAGE = Buffer.from('what is signed');
const DIGEST = createHash('sha256').update(MESSAGE).digest();

const isSigned = (spki: Buffer, message: Buffer, signature: Buffer): boolean =>
  verify(
    'sha256',
    message,
    { key: createPublicKey({ key: spki, format: 'der', type: 'spki' }), dsaEncoding: 'ieee-p1363' },
    signature,
  );

export function contractSuite(name: string, { open, keys, emptyKey, malformedKey, object, malformedObject }: ContractCase): void {
  suite(`contract of secure elements: ${name}`, () => {
    let element: SecureElement;
    before(async () => {
      element = await open();
    });
    after(() => element[Symbol.asyncDispose]());
    const [first, second] = keys;

    test('says what it is, the same each time', async () => {
      const identity = await element.identify();
      assert.equal(identity.kind, element.kind);
      assert.match(identity.serialNumber, /^([0-9a-f]{2})*$/);
      assert.notEqual(identity.maker, '');
      assert.deepEqual(await element.identify(), identity);
    });

    test('says what is locked', async () => {
      const { isReady, parts } = await element.lockState();
      assert.equal(isReady, true);
      for (const part of parts) assert.equal(typeof part.isLocked, 'boolean', part.name);
    });

    test('gives random bytes of any length it promises', async () => {
      for (const length of [1, 7, 8, 31, 32, 33, 64, 255, 256, 257, 4096])
        assert.equal((await element.random(length)).length, length);
      const drawn = await Promise.all(Array.from({ length: 20 }, () => element.random(32)));
      assert.equal(new Set(drawn.map((bytes) => bytes.toString('hex'))).size, 20);
      for (const length of [0, -1, 1.5, 4097, Number.NaN]) await assert.rejects(element.random(length), refuses('invalid'));
    });

    test('makes keys that are new each time, and keeps the last', async () => {
      const before = await element.generateKey(first);
      const made = await element.generateKey(first);
      assert.notDeepEqual(made, before);
      assert.deepEqual(await element.publicKey(first), made);
      assert.equal(createPublicKey({ key: made, format: 'der', type: 'spki' }).asymmetricKeyDetails?.namedCurve, 'prime256v1');
    });

    test('signs digests under the key that is asked for', async () => {
      const [one, other] = [await element.generateKey(first), await element.generateKey(second)];
      for (let time = 0; time < 20; time += 1) {
        const message = randomBytes(time * 7);
        const signature = await element.sign(first, createHash('sha256').update(message).digest());
        assert.equal(signature.length, 64);
        assert.equal(isSigned(one, message, signature), true);
        assert.equal(isSigned(other, message, signature), false);
      }
      for (const digest of [Buffer.alloc(32), Buffer.alloc(32, 0xff)])
        assert.equal((await element.sign(first, digest)).length, 64);
      for (const length of [0, 20, 31, 33, 64])
        await assert.rejects(element.sign(first, Buffer.alloc(length)), refuses('invalid'));
    });

    test('agrees on a secret with a peer', async () => {
      const own = createPublicKey({ key: await element.generateKey(first, ['sign', 'agree']), format: 'der', type: 'spki' });
      for (let time = 0; time < 5; time += 1) {
        const peer = generateKeyPairSync('ec', { namedCurve: 'P-256' });
        const secret = await element.agree(first, peer.publicKey.export({ format: 'der', type: 'spki' }));
        assert.deepEqual(secret, diffieHellman({ privateKey: peer.privateKey, publicKey: own }));
      }
      const another = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'der', type: 'spki' });
      await assert.rejects(element.agree(first, another), refuses('invalid'));
      const offTheCurve = Buffer.from(own.export({ format: 'der', type: 'spki' }));
      offTheCurve[90] = (offTheCurve[90] ?? 0) ^ 1;
      await assert.rejects(element.agree(first, offTheCurve), refuses('invalid'));
    });

    test('refuses keys that are not there, and names that are none', async () => {
      await assert.rejects(element.publicKey(emptyKey), refuses(['not-found', 'not-permitted']));
      await assert.rejects(element.sign(emptyKey, DIGEST), refuses(['not-found', 'not-permitted']));
      for (const name of [malformedKey, '', '../x']) {
        await assert.rejects(element.generateKey(name), refuses('invalid'));
        await assert.rejects(element.publicKey(name), refuses('invalid'));
        await assert.rejects(element.sign(name, DIGEST), refuses('invalid'));
      }
    });

    test('keeps objects as they were written', async () => {
      for (const fill of [0x00, 0x5a, 0xff]) {
        const content = Buffer.alloc(object.length, fill);
        await element.writeObject(object.name, content);
        assert.deepEqual(await element.readObject(object.name), content);
      }
      const info = (await element.objects()).find(({ name }) => name === object.name);
      assert.ok(info !== undefined && info.capacity >= object.length);
      await assert.rejects(element.writeObject(object.name, Buffer.alloc(info.capacity + 1)), refuses('invalid'));
      assert.deepEqual(await element.readObject(object.name), Buffer.alloc(object.length, 0xff));
      for (const name of [malformedObject, '', '../x']) {
        await assert.rejects(element.readObject(name), refuses('invalid'));
        await assert.rejects(element.writeObject(name, Buffer.alloc(1)), refuses('invalid'));
      }
    });

    test('does one call after another, however many come at once', async () => {
      const spki = await element.generateKey(first);
      const answers = await Promise.all(
        Array.from({ length: 12 }, async (_, index) => {
          if (index % 3 === 0) return element.random(32);
          if (index % 3 === 1) return element.publicKey(first);
          return element.sign(first, DIGEST);
        }),
      );
      for (const [index, answer] of answers.entries()) {
        if (index % 3 === 1) assert.deepEqual(answer, spki);
        if (index % 3 === 2) assert.equal(isSigned(spki, MESSAGE, answer), true);
      }
    });

    test('has its keys and objects after it was closed and opened', async () => {
      const spki = await element.generateKey(second);
      const content = randomBytes(object.length);
      await element.writeObject(object.name, content);
      await element[Symbol.asyncDispose]();
      element = await open();
      assert.deepEqual(await element.publicKey(second), spki);
      assert.equal(isSigned(spki, MESSAGE, await element.sign(second, DIGEST)), true);
      assert.deepEqual(await element.readObject(object.name), content);
    });
  });
}
