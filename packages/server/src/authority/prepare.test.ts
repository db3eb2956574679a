// needs: openssl
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { constants, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { bitString, der, explicit, implicit, integer, oid, sequence, TAG } from '@thingkeep/x509/der.ts';
import { distinguishedName } from '@thingkeep/x509/names.ts';
import { toPem } from '@thingkeep/x509/pem.ts';
import { publicKeyOf } from '@thingkeep/x509/public-key.ts';
import { keySigner } from '@thingkeep/x509/signing.ts';
import { csrDer, csrPem, nameOf, newEcKey, newRsaKey, PRINTABLE_STRING } from '@thingkeep/x509/testing/csrs.ts';
import { DEVICE_REQUEST } from '@thingkeep/x509/testing/factory-certificates.ts';
import { writeCsr } from '@thingkeep/x509/write-csr.ts';
import fc from 'fast-check';
import { prepareFromCsr } from './prepare.ts';

const ec = newEcKey();
const rsa = newRsaKey();

const openssl = (...args: string[]): string =>
  execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });

const refused = (pem: string, words: RegExp): void =>
  void assert.throws(
    () => prepareFromCsr(pem),
    (error: Error) =>
      error.name === 'InvalidRequestException' &&
      error.message.startsWith('CSR violates constraints') &&
      words.test(error.message),
  );

describe('requests that are taken (API reference CreateCertificateFromCsr: RSA of 2048 bits and up, P-256, P-384, P-521)', () => {
  test('from openssl, each kind of key and hash', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'prepare-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'device.key');
    for (const key of [newRsaKey(3072), ec, newEcKey('P-384'), newEcKey('P-521')]) {
      writeFileSync(file, key.export({ type: 'pkcs8', format: 'pem' }));
      for (const hash of ['-sha256', '-sha384', '-sha512']) {
        const pem = openssl('req', '-new', '-key', file, '-subj', '/CN=gopigo3/O=Example', hash);
        assert.ok(prepareFromCsr(pem).subject.includes('gopigo3'), hash);
      }
    }
  });

  test('signed with RSASSA-PSS, by openssl', () => {
    const padding = ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:32'];
    const pem = openssl(
      'req',
      '-new',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      '/dev/null',
      '-subj',
      '/CN=x',
      '-sha256',
      ...padding,
    );
    assert.ok(prepareFromCsr(pem).subject.includes('x'));
  });

  test('with a key for RSASSA-PSS alone', () => {
    const pem = openssl(
      'req',
      '-new',
      '-newkey',
      'rsa-pss',
      '-pkeyopt',
      'rsa_keygen_bits:2048',
      '-nodes',
      '-keyout',
      '/dev/null',
      '-subj',
      '/CN=x',
      '-sha384',
    );
    assert.ok(prepareFromCsr(pem));
  });

  test('signed with SHA-1: it proves the key all the same', () => {
    const algorithm = sequence(oid('1.2.840.113549.1.1.5'), der(TAG.null));
    assert.ok(prepareFromCsr(csrPem(csrDer({ key: rsa, algorithm, hash: 'sha1' }))));
  });

  test('in 76 columns, with CRLF, with text around, under the old label, in one line', () => {
    const bytes = csrDer({ key: ec });
    const pem = csrPem(bytes);
    const forms = [
      csrPem(bytes, 76),
      csrPem(bytes, 76, '\r\n'),
      `Certificate Request:\n  Data\n${pem}\n\n`,
      pem.replaceAll('CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'),
      csrPem(bytes, 4000),
      pem.trimEnd(),
    ];
    for (const form of forms) assert.ok(prepareFromCsr(form).publicKey.equals(publicKeyOf(ec)));
  });

  test('with a country of three bytes, one of them a control character, kept byte for byte', () => {
    const subject = nameOf(
      ['2.5.4.6', PRINTABLE_STRING, '\x05us'],
      ['2.5.4.8', PRINTABLE_STRING, 'Pennsylvania'],
      ['2.5.4.7', PRINTABLE_STRING, 'Fort Washington'],
      ['2.5.4.10', PRINTABLE_STRING, 'A*B@C_\xff'],
      ['2.5.4.3', PRINTABLE_STRING, 'RIMPLEDEVICE'],
    );
    assert.ok(prepareFromCsr(csrPem(csrDer({ key: ec, subject }), 76)).subject.equals(subject));
  });

  test('made by our own writer, each kind of key', async () => {
    const subject = distinguishedName({ type: 'O', value: 'Größe 中', string: 'bmpString' }, { type: 'CN', value: 'device' });
    for (const key of [rsa, ec, newEcKey('P-384'), newEcKey('P-521')]) {
      const pem = toPem('CERTIFICATE REQUEST', await writeCsr(subject, keySigner(key)));
      assert.deepEqual(prepareFromCsr(pem), { subject, publicKey: publicKeyOf(key) });
    }
    const edwards = keySigner(generateKeyPairSync('ed25519').privateKey);
    refused(toPem('CERTIFICATE REQUEST', await writeCsr(subject, edwards)), /neither RSA nor/);
  });

  test('made by a secure element', () => {
    const { subject } = prepareFromCsr(DEVICE_REQUEST);
    const utf8 = (type: string, value: string) => [type, TAG.utf8String, value] as const;
    assert.ok(subject.equals(nameOf(utf8('2.5.4.10', 'Example Inc'), utf8('2.5.4.3', 'Example Device'))));
  });

  test('without attributes, and with an empty subject', () => {
    assert.ok(prepareFromCsr(csrPem(csrDer({ key: ec, attributes: Buffer.alloc(0) }))));
    assert.ok(prepareFromCsr(csrPem(csrDer({ key: ec, subject: sequence() }))).subject.equals(sequence()));
  });
});

describe('requests that are refused', () => {
  test('weak or foreign keys', () => {
    refused(csrPem(csrDer({ key: newRsaKey(1024) })), /1024 bits/);
    refused(csrPem(csrDer({ key: newEcKey('secp256k1') })), /elliptic curve/);
    refused(csrPem(csrDer({ key: newEcKey('P-224') })), /elliptic curve/);
    const edwards = generateKeyPairSync('ed25519').privateKey;
    const info = sequence(integer(Buffer.of(0)), nameOf(), publicKeyOf(edwards), der(explicit(0)));
    refused(csrPem(sequence(info, sequence(oid('1.3.101.112')), bitString(sign(null, info, edwards)))), /neither RSA nor/);
    const explicitCurve = openssl(
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-pkeyopt',
      'ec_param_enc:explicit',
      '-nodes',
      '-keyout',
      '/dev/null',
      '-subj',
      '/CN=x',
    );
    refused(explicitCurve, /elliptic curve/);
  });

  test('an RSA exponent of 1, and a point that is not on its curve', () => {
    const key = sequence(integer(Buffer.concat([Buffer.of(0xc1), Buffer.alloc(255, 7)])), integer(Buffer.of(1)));
    const publicKey = sequence(sequence(oid('1.2.840.113549.1.1.1'), der(TAG.null)), bitString(key));
    refused(csrPem(csrDer({ key: rsa, publicKey })), /exponent/);
    const offCurve = Buffer.from(publicKeyOf(ec));
    offCurve[offCurve.length - 1] = (offCurve.at(-1) ?? 0) ^ 1;
    refused(csrPem(csrDer({ key: ec, publicKey: offCurve })), /parsed/);
  });

  test("a signature of another key, of other content, of another kind, and PSS's SHA-1 defaults", () => {
    refused(csrPem(csrDer({ key: newEcKey(), publicKey: publicKeyOf(ec) })), /signature does not match/);
    refused(csrPem(csrDer({ key: ec, hash: 'sha384' })), /signature does not match/);
    refused(csrPem(csrDer({ key: rsa, algorithm: sequence(oid('1.2.840.10045.4.3.2')) })), /algorithm/);
    refused(
      csrPem(csrDer({ key: rsa, algorithm: sequence(oid('1.2.840.113549.1.1.4'), der(TAG.null)), hash: 'md5' })),
      /algorithm/,
    );
    const info = sequence(integer(Buffer.of(0)), nameOf(), publicKeyOf(rsa), der(explicit(0)));
    const signature = sign('sha1', info, { key: rsa, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 20 });
    refused(csrPem(sequence(info, sequence(oid('1.2.840.113549.1.1.10'), sequence()), bitString(signature))), /algorithm/);
  });

  test('another version, trailing data, BER forms, a subject that is no name', () => {
    refused(csrPem(csrDer({ key: ec, version: 1 })), /version/);
    refused(csrPem(csrDer({ key: ec, behind: Buffer.of(0) })), /parsed/);
    refused(csrPem(csrDer({ key: ec, behind: Buffer.of(5, 0) })), /parsed/);
    const whole = csrDer({ key: ec });
    const content = whole.subarray(3);
    refused(csrPem(Buffer.concat([Buffer.of(0x30, 0x80), content, Buffer.of(0, 0)])), /parsed/);
    refused(csrPem(Buffer.concat([Buffer.of(0x30, 0x83, 0, 0, content.length), content])), /parsed/);
    refused(csrPem(csrDer({ key: ec, subject: sequence(der(TAG.set)) })), /parsed/);
    refused(csrPem(csrDer({ key: ec, subject: sequence(sequence(oid('2.5.4.3'), der(TAG.utf8String))) })), /parsed/);
    refused(csrPem(csrDer({ key: ec, attributes: der(implicit(0)) })), /parsed/);
    const deep = Array.from({ length: 500 }).reduce<Buffer>((inner) => sequence(inner), Buffer.alloc(0));
    refused(csrPem(deep), /parsed/);
  });

  test('what is no request at all', () => {
    const pem = csrPem(csrDer({ key: ec }));
    for (const text of [
      '',
      'csr',
      'file://csr.pem',
      '-----BEGIN ',
      '-----BEGIN CERTIFICATE REQUEST-----',
      toPem('CERTIFICATE', csrDer({ key: ec })),
      pem + pem,
    ])
      refused(text, /PEM/);
    refused(pem.replace('MI', '!!'), /PEM/);
    refused('-----BEGIN '.repeat(300), /PEM/);
    refused(`${pem}${' '.repeat(4096)}`, /4096/);
  });
});

describe('hostile requests', () => {
  const valid = [csrDer({ key: ec }), csrDer({ key: rsa })];

  test('2,500 mutated requests: only InvalidRequestException, none slow', () => {
    let slowest = 0;
    const check = (pem: string): void => {
      try {
        prepareFromCsr(pem);
      } catch (error) {
        assert.equal((error as Error).name, 'InvalidRequestException', String(error));
      }
    };
    /** The best of three where one was slow: other processes of the machine are not what is measured. */
    const timed = (pem: string): void => {
      const times: number[] = [];
      do {
        const start = performance.now();
        check(pem);
        times.push(performance.now() - start);
      } while (times.length < 3 && (times[0] ?? 0) > 10);
      slowest = Math.max(slowest, Math.min(...times));
    };
    const change = fc.record({ at: fc.nat(), byte: fc.nat(255), how: fc.constantFrom('set', 'cut', 'insert', 'drop') });
    fc.assert(
      fc.property(fc.constantFrom(...valid), fc.array(change, { minLength: 1, maxLength: 4 }), (start, changes) => {
        let bytes = start;
        for (const { at, byte, how } of changes) {
          // Half of the changes go to the first bytes, where the structure is.
          const place = at % (at % 2 === 0 ? bytes.length : Math.min(64, bytes.length));
          const parts = {
            set: [Buffer.of(byte), place + 1],
            cut: [Buffer.alloc(0), bytes.length],
            insert: [Buffer.of(byte), place],
            drop: [Buffer.alloc(0), place + 1],
          } as const;
          const [middle, rest] = parts[how];
          bytes = Buffer.concat([bytes.subarray(0, place), middle, bytes.subarray(rest)]);
          if (bytes.length === 0) bytes = Buffer.of(byte);
        }
        timed(csrPem(bytes));
      }),
      { numRuns: 2000, seed: 20_261_120 },
    );
    fc.assert(
      fc.property(fc.string({ maxLength: 5000 }), (text) => timed(text)),
      { numRuns: 500, seed: 20_261_120 },
    );
    assert.ok(slowest < 50, `slowest took ${slowest} ms`);
  });
});
