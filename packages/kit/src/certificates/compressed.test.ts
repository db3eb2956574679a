/** Compressed certificates: the pairs of Microchip's library byte for byte, all forms, and damaged input. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { suite, test } from 'node:test';
import { parseCertificate } from '@thingkeep/x509/certificate.ts';
import { keySigner } from '@thingkeep/x509/signing.ts';
import fc from 'fast-check';
import { goldenFile, goldenValue } from '../elements/atecc/testing/golden-packets.ts';
import { ElementError } from '../elements/contract.ts';
import { refuses } from '../elements/testing/contract-suite.ts';
import { compressCertificate, type RebuildInput, rebuildCertificate } from './compressed.ts';
import {
  type CertificateDefinition,
  definitionOf,
  DEFINITION_NAMES,
  SERIAL_SOURCES,
  type SerialSource,
  ZERO_TOUCH_DEVICE,
  ZERO_TOUCH_SIGNER,
  zeroTouchCsr,
} from './definitions.ts';
import { slotOfStoredFields, storedFieldsOfSlot } from './stored-fields.ts';

const golden = (kind: 'signer' | 'device'): Buffer => goldenValue('atecc608', `compcert /tmp/calb/${kind}.der`);
const signerDer = goldenFile('signer.der');
const deviceDer = goldenFile('device.der');
const rootKey = parseCertificate(new X509Certificate(goldenFile('root-ca.crt')).raw).publicKey;
const signerKey = parseCertificate(signerDer).publicKey;
const deviceKey = parseCertificate(deviceDer).publicKey;

const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const spkiOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });

/** A certificate of a definition, signed: the compressed form with the signature of what is signed put in. */
function issued(definition: CertificateDefinition, input: RebuildInput, issuer: KeyObject): { input: RebuildInput; der: Buffer } {
  const { signed } = parseCertificate(rebuildCertificate(definition, input));
  const signature = sign('sha256', signed, { key: issuer, dsaEncoding: 'ieee-p1363' });
  const whole = { ...input, compressed: Buffer.concat([signature, input.compressed.subarray(64)]) };
  return { input: whole, der: rebuildCertificate(definition, whole) };
}

test("the signer's certificate compresses and rebuilds byte for byte", () => {
  const { compressed, stored } = compressCertificate(ZERO_TOUCH_SIGNER, signerDer);
  assert.deepEqual(compressed, golden('signer'));
  assert.ok(stored !== undefined);
  const slot = goldenValue('atecc608', 'slot14 ');
  assert.deepEqual(storedFieldsOfSlot(slot), stored);
  assert.deepEqual(storedFieldsOfSlot(slotOfStoredFields(stored)), stored);
  for (const [from, to] of [[4, 20] as const, [22, 35] as const, [37, 50] as const])
    assert.deepEqual(slotOfStoredFields(stored).subarray(from, to), slot.subarray(from, to));
  const issuer = { publicKey: rootKey };
  assert.deepEqual(rebuildCertificate(ZERO_TOUCH_SIGNER, { compressed, publicKey: signerKey, issuer, stored }), signerDer);
  assert.throws(() => rebuildCertificate(ZERO_TOUCH_SIGNER, { compressed, publicKey: signerKey, issuer }), refuses('invalid'));
});

test("the device's certificate compresses and rebuilds byte for byte", () => {
  const { compressed, stored } = compressCertificate(ZERO_TOUCH_DEVICE, deviceDer);
  assert.deepEqual(compressed, golden('device'));
  assert.equal(stored, undefined);
  const issuer = { publicKey: signerKey };
  assert.deepEqual(rebuildCertificate(ZERO_TOUCH_DEVICE, { compressed, publicKey: deviceKey, issuer }), deviceDer);
  const another = { publicKey: rootKey };
  assert.throws(
    () => rebuildCertificate(ZERO_TOUCH_DEVICE, { compressed, publicKey: deviceKey, issuer: another }),
    refuses('verification'),
  );
  assert.throws(
    () => rebuildCertificate(ZERO_TOUCH_DEVICE, { compressed, publicKey: signerKey, issuer }),
    refuses('verification'),
  );
});

test('parts stand where the firmware looks for them', () => {
  const at = (der: Buffer, offset: number, length: number): string => der.toString('latin1', offset, offset + length);
  assert.equal(at(signerDer, 175, 4) + at(signerDer, 97, 13) + at(signerDer, 112, 13), 'FFFF261120091908Z361120091908Z');
  assert.equal(at(deviceDer, 93, 4) + at(deviceDer, 101, 13), 'FFFF261120090000Z');
  assert.deepEqual(parseCertificate(signerDer).signed, signerDer.subarray(4, 374));
  assert.deepEqual(parseCertificate(deviceDer).signed, deviceDer.subarray(4, 339));
  assert.deepEqual(signerKey.subarray(-64), signerDer.subarray(206, 270));
  assert.deepEqual(deviceKey.subarray(-64), deviceDer.subarray(207, 271));
});

test("the kit's signing request is that of the library but for key and signature", async () => {
  const { privateKey } = newKeys();
  const made = await zeroTouchCsr(keySigner(privateKey));
  const expected = goldenValue('atecc608', 'csr ');
  const signed = (der: Buffer): string => Buffer.concat([der.subarray(3, 85), der.subarray(85 + 64, 168)]).toString('hex');
  assert.equal(signed(made), signed(expected));
  assert.equal(made.toString('hex', 168, 182), `300a06082a8648ce3d040302${made.toString('hex', 180, 182)}`);
});

suite('damaged input', () => {
  const cases = [
    { name: 'signer', definition: ZERO_TOUCH_SIGNER, der: signerDer, publicKey: signerKey, issuer: rootKey },
    { name: 'device', definition: ZERO_TOUCH_DEVICE, der: deviceDer, publicKey: deviceKey, issuer: signerKey },
  ] as const;
  for (const { name, definition, der, publicKey, issuer } of cases) {
    const { compressed, stored } = compressCertificate(definition, der);
    const fails = (change: Partial<RebuildInput>): void => {
      const input = { compressed, publicKey, issuer: { publicKey: issuer }, stored, ...change };
      assert.throws(() => rebuildCertificate(definition, input), refuses(['invalid', 'verification']));
    };
    const eachFlip = (bytes: Buffer, use: (damaged: Buffer) => void): void => {
      for (let bit = 0; bit < bytes.length * 8; bit += 1) {
        const damaged = Buffer.from(bytes);
        damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        use(damaged);
      }
    };

    test(`${name}: no flipped bit of what is kept gives a certificate`, () => {
      eachFlip(compressed, (damaged) => fails({ compressed: damaged }));
      eachFlip(publicKey, (damaged) => fails({ publicKey: damaged }));
      if (stored !== undefined) eachFlip(stored.serialNumber, (serialNumber) => fails({ stored: { ...stored, serialNumber } }));
      for (const length of [0, 71, 73]) fails({ compressed: Buffer.alloc(length) });
    });

    test(`${name}: a certificate with a flipped bit is refused, or comes back as it was`, () => {
      let refused = 0;
      eachFlip(der, (damaged) => {
        try {
          const made = compressCertificate(definition, damaged);
          const key = parseCertificate(damaged).publicKey;
          const issuerKeyIdentifier = damaged.subarray(name === 'signer' ? 354 : 319).subarray(0, 20);
          const input = { ...made, publicKey: key, issuer: { keyIdentifier: issuerKeyIdentifier } };
          assert.deepEqual(rebuildCertificate(definition, input), damaged);
        } catch (error) {
          assert.ok(error instanceof ElementError, String(error));
          refused += 1;
        }
      });
      assert.ok(refused > der.length * 3, String(refused));
      for (let length = 0; length < der.length; length += 7)
        assert.throws(() => compressCertificate(definition, der.subarray(0, length)), refuses('invalid'));
    });
  }

  test('stored dates belong to the compressed ones', () => {
    const { compressed, stored } = compressCertificate(ZERO_TOUCH_SIGNER, signerDer);
    for (const dates of [
      ['20261120101908', '20361120091908'],
      ['20261120091908', '20371120091908'],
      ['20261120096008', '20361120091908'],
      ['20260230091908', '20360230091908'],
    ] as const) {
      const changed = { serialNumber: stored?.serialNumber ?? Buffer.alloc(0), dates };
      const input = { compressed, publicKey: signerKey, issuer: { publicKey: rootKey }, stored: changed };
      assert.throws(() => rebuildCertificate(ZERO_TOUCH_SIGNER, input), refuses(['invalid', 'verification']));
    }
    assert.throws(() => storedFieldsOfSlot(Buffer.alloc(72)), refuses('not-found'));
  });
});

suite('all forms', () => {
  /** Compressed dates, bit by bit. */
  const bits = (year: number, month: number, day: number, hour: number, years: number, version: number): Buffer => {
    const compressed = Buffer.alloc(72);
    const since = year - 2000;
    const number = ((since & 31) << 19) | (month << 15) | (day << 10) | (hour << 5) | (years & 31);
    compressed.writeUIntBE(number, 64, 3);
    compressed[71] = version === 0 ? 0 : ((since >> 5) << 6) | ((years >> 5) << 4);
    return compressed;
  };
  const lengths: Partial<Record<SerialSource, number>> = { 'device-serial': 10, 'signer-id': 3 };

  const forms = fc.record({
    serialSource: fc.constantFrom(...(Object.keys(SERIAL_SOURCES) as SerialSource[])),
    formatVersion: fc.constantFrom(0 as const, 1 as const),
    form: fc.constantFrom('utc' as const, 'generalized' as const),
    templateId: fc.integer({ min: 0, max: 15 }),
    chainId: fc.integer({ min: 0, max: 15 }),
    signerId: fc.uint8Array({ minLength: 2, maxLength: 2 }),
    since: fc.integer({ min: 0, max: 49 }),
    month: fc.integer({ min: 1, max: 12 }),
    day: fc.integer({ min: 1, max: 28 }),
    hour: fc.integer({ min: 0, max: 23 }),
    years: fc.integer({ min: 0, max: 127 }),
  });

  test('what is issued compresses and rebuilds, whatever dates, serial numbers and ids', () => {
    const issuerKeys = newKeys();
    const issuer = { publicKey: spkiOf(issuerKeys.publicKey) };
    fc.assert(
      fc.property(
        forms,
        ({ serialSource, formatVersion, form, templateId, chainId, signerId, since, month, day, hour, years }) => {
          const most = formatVersion === 0 ? 31 : 127;
          fc.pre(since <= most && years <= most && (form === 'generalized' || since + years <= 49));
          const definition: CertificateDefinition = {
            ...ZERO_TOUCH_DEVICE,
            ...{ serialSource, formatVersion, templateId, chainId, serialLength: lengths[serialSource] ?? 16 },
            notAfter: { form },
          };
          const compressed = bits(2000 + since, month, day, hour, years, formatVersion);
          Buffer.from(signerId).copy(compressed, 67);
          compressed[69] = (templateId << 4) | chainId;
          compressed[70] = (SERIAL_SOURCES[serialSource] << 4) | formatVersion;
          const deviceSerialNumber = Buffer.concat([Buffer.of(1, 0x23), randomBytes(6), Buffer.of(0xee)]);
          const keys = newKeys();
          const isStored = serialSource.startsWith('stored');
          const serialNumber = Buffer.concat([Buffer.of(0x41), randomBytes(serialSource === 'stored' ? 15 : since % 19)]);
          const stored = isStored ? { serialNumber } : undefined;
          const { der, input } = issued(
            definition,
            {
              compressed,
              publicKey: spkiOf(keys.publicKey),
              issuer: { keyIdentifier: Buffer.alloc(20) },
              stored,
              deviceSerialNumber,
            },
            issuerKeys.privateKey,
          );
          // The key identifier is part of what is signed.
          const whole = issued(
            definition,
            { ...input, issuer: { keyIdentifier: keyIdentifierOf(issuer.publicKey) } },
            issuerKeys.privateKey,
          );
          assert.notDeepEqual(whole.der, der);
          const again = compressCertificate(definition, whole.der, { deviceSerialNumber });
          assert.deepEqual(again.compressed, whole.input.compressed);
          assert.deepEqual(again.stored?.serialNumber, stored?.serialNumber);
          assert.deepEqual(rebuildCertificate(definition, { ...whole.input, issuer }), whole.der);
          // The older forms of hashes may give numbers that OpenSSL takes for none.
          if (!/raw|positive/.test(serialSource)) {
            const read = new X509Certificate(whole.der);
            assert.equal(read.verify(issuerKeys.publicKey), true);
            const hours = `${String(month).padStart(2, '0')}`;
            assert.equal(new Date(read.validFrom).toISOString().slice(0, 7), `${2000 + since}-${hours}`);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test('dates that have no compressed form are refused', () => {
    const issuerKeys = newKeys();
    const input = { publicKey: spkiOf(newKeys().publicKey), issuer: { publicKey: spkiOf(issuerKeys.publicKey) } };
    for (const [month, day, hour] of [
      [0, 1, 1],
      [13, 1, 1],
      [1, 0, 1],
      [2, 30, 1],
      [4, 31, 1],
      [1, 1, 24],
    ] as const) {
      const compressed = bits(2026, month, day, hour, 0, 0);
      golden('device').copy(compressed, 67, 67, 71);
      assert.throws(() => rebuildCertificate(ZERO_TOUCH_DEVICE, { ...input, compressed }), refuses('invalid'));
    }
    // There is no 29 February a year later.
    const compressed = bits(2028, 2, 29, 1, 1, 0);
    golden('device').copy(compressed, 67, 67, 71);
    assert.throws(() => rebuildCertificate(ZERO_TOUCH_DEVICE, { ...input, compressed }), refuses('invalid'));
  });

  test('definitions are found by their names', () => {
    assert.deepEqual(DEFINITION_NAMES, ['zero-touch-signer', 'zero-touch-device']);
    assert.equal(definitionOf('zero-touch-device'), ZERO_TOUCH_DEVICE);
    assert.equal(definitionOf('toString'), undefined);
  });
});

function keyIdentifierOf(spki: Buffer): Buffer {
  // Of a certificate that this key has issued to itself: its own key identifier is that of its issuer.
  const der = rebuildCertificate(ZERO_TOUCH_DEVICE, {
    compressed: golden('device'),
    publicKey: spki,
    issuer: { keyIdentifier: Buffer.alloc(20) },
  });
  return der.subarray(286, 306);
}
