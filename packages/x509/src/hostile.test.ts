/** Hostile certificates and requests: bytes changed at random are read, or refused as no DER, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCertificate } from './certificate.ts';
import { isSelfSigned, parseCsr } from './csr.ts';
import { DerError } from './der.ts';
import { distinguishedName, readCommonNames, readDistinguishedName } from './names.ts';
import { PATH_FAULT_TEXT, pathFault } from './path.ts';
import { onePemBlock } from './pem.ts';
import { readPathExtensions } from './path-extensions.ts';
import { openPublicKey, readPublicKey } from './public-key.ts';
import { keySigner } from './signing.ts';
import { decodeString } from './strings.ts';
import { newEcKey, newRsaKey } from './testing/csrs.ts';
import {
  alternativeNamesOf,
  basicConstraints,
  CHAIN_NOW,
  chainCertificate,
  directoryName,
  dnsName,
  nameConstraints,
  SIGNS_CERTIFICATES,
} from './testing/chains.ts';
import { DEVICE, FACTORY_ROOT, SIGNER } from './testing/factory-certificates.ts';
import { writeCsr } from './write-csr.ts';

function readNames(name: Buffer): void {
  readCommonNames(name);
  for (const { tag, content } of readDistinguishedName(name)) decodeString(tag, content);
}

function readCertificate(bytes: Buffer): void {
  const fields = parseCertificate(bytes);
  readPathExtensions(fields.extensions);
  readNames(fields.subject);
  readPublicKey(fields.publicKey);
  openPublicKey(fields.publicKey);
}

function readCsr(bytes: Buffer): void {
  const fields = parseCsr(bytes);
  readNames(fields.subject);
  readPublicKey(fields.publicKey);
  isSelfSigned(fields, openPublicKey(fields.publicKey));
}

const CHANGES = fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255), how: fc.constantFrom('set', 'cut', 'insert', 'drop') }), {
  minLength: 1,
  maxLength: 4,
});

function changed(
  start: Buffer,
  changes: readonly { at: number; byte: number; how: 'set' | 'cut' | 'insert' | 'drop' }[],
): Buffer {
  let bytes = start;
  for (const { at, byte, how } of changes) {
    const place = at % bytes.length;
    const middle = how === 'set' || how === 'insert' ? Buffer.of(byte) : Buffer.alloc(0);
    const rest = how === 'cut' ? bytes.length : how === 'insert' ? place : place + 1;
    bytes = Buffer.concat([bytes.subarray(0, place), middle, bytes.subarray(rest)]);
    if (bytes.length === 0) bytes = Buffer.of(byte);
  }
  return bytes;
}

function holds(valid: readonly Buffer[], read: (bytes: Buffer) => void): void {
  for (const each of valid) read(each);
  let taken = 0;
  fc.assert(
    fc.property(fc.constantFrom(...valid), CHANGES, (start, changes) => {
      try {
        read(changed(start, changes));
        taken += 1;
      } catch (error) {
        assert.ok(error instanceof DerError, String(error));
      }
    }),
    { numRuns: 3000, seed: 20_261_120 },
  );
  assert.ok(taken > 100, `${taken} were read`);
}

test('3,000 changed certificates', () =>
  holds(
    [DEVICE, FACTORY_ROOT, SIGNER].map((pem) => onePemBlock(pem, ['CERTIFICATE']) ?? Buffer.alloc(0)),
    readCertificate,
  ));

test('paths of 3,000 changed certificates, of the device and of the anchor: no fault but one of the list', () => {
  const names = [dnsName('a.example.com'), directoryName(distinguishedName({ type: 'O', value: 'Example' }))];
  const anchor = chainCertificate({ extensions: [basicConstraints(true, 0), SIGNS_CERTIFICATES, nameConstraints(names, names)] });
  const device = chainCertificate({ by: anchor, subject: 'device', extensions: [alternativeNamesOf(...names)] });
  const rules = { now: CHAIN_NOW, openKey: openPublicKey, allowsAlgorithm: () => true };
  const faults = new Set<string>();
  for (const path of [(bytes: Buffer) => [bytes, anchor.der], (bytes: Buffer) => [device.der, bytes]])
    holds([device.der, anchor.der], (bytes) => {
      const fault = pathFault(path(bytes), rules)?.fault;
      if (fault !== undefined) faults.add(fault);
    });
  for (const fault of faults) assert.ok(Object.hasOwn(PATH_FAULT_TEXT, fault), fault);
  assert.ok(faults.size > 4, [...faults].join());
});

test('3,000 changed requests', async () => {
  const subject = distinguishedName(
    { type: 'O', value: 'Example 中', string: 'bmpString' },
    { type: 'OU', value: '😀', string: 'universalString' },
    { type: 'CN', value: 'device' },
  );
  holds(await Promise.all([newEcKey(), newRsaKey()].map((key) => writeCsr(subject, keySigner(key)))), readCsr);
});
