import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { der, DerError, oid, readOid, sequence, sequenceOf, TAG } from './der.ts';
import {
  commonNameOnly,
  distinguishedName,
  type NameAttribute,
  type RelativeName,
  readCommonNames,
  readDistinguishedName,
} from './names.ts';
import { decodeString, encodeString, type StringType } from './strings.ts';

const textsOf = (name: Buffer): (string | undefined)[] =>
  readDistinguishedName(name).map(({ tag, content }) => decodeString(tag, content));

describe('distinguished names', () => {
  test('are as openssl writes them: CN=device', () => {
    assert.equal(commonNameOnly('device').toString('hex'), '3011310f300d06035504030c06646576696365');
  });

  test('hold attributes in the order given, each with the string type of its kind (RFC 5280, appendix A.1)', () => {
    const name = distinguishedName(
      { type: 'C', value: 'DE' },
      { type: 'DC', value: 'example' },
      { type: 'O', value: 'Größe 中 😀' },
      { type: 'emailAddress', value: 'a@example.com' },
      { type: 'CN', value: 'device' },
    );
    const read = readDistinguishedName(name);
    assert.deepEqual(
      read.map(({ type, tag }) => [type, tag]),
      [
        ['2.5.4.6', 0x13],
        ['0.9.2342.19200300.100.1.25', 0x16],
        ['2.5.4.10', 0x0c],
        ['1.2.840.113549.1.9.1', 0x16],
        ['2.5.4.3', 0x0c],
      ],
    );
    assert.deepEqual(textsOf(name), ['DE', 'example', 'Größe 中 😀', 'a@example.com', 'device']);
    assert.deepEqual(readCommonNames(name), ['device']);
  });

  test('sort the attributes of one relative name by their bytes (X.690 section 11.6)', () => {
    const [cn, serial] = [
      { type: 'CN', value: 'a long name' },
      { type: 'serialNumber', value: '7' },
    ] as const satisfies NameAttribute[];
    const name = distinguishedName([cn, serial]);
    assert.deepEqual(textsOf(name), ['7', 'a long name']);
    assert.ok(name.equals(distinguishedName([serial, cn])));
    const relative = sequenceOf(name);
    relative.value(TAG.set);
    relative.end();
  });

  test('refuse what can not be written, by its name', () => {
    const refused = (words: RegExp, ...names: readonly RelativeName[]): void =>
      void assert.throws(() => distinguishedName(...names), { name: 'NameError', message: words });
    refused(/CN is empty/, { type: 'CN', value: '' });
    refused(/C holds a character that printableString does not have/, { type: 'C', value: '*' });
    refused(/emailAddress .* ia5String/, { type: 'emailAddress', value: 'ü@example.com' });
    refused(/CN .* utf8String/, { type: 'CN', value: '\ud800' });
    refused(/no attribute/, []);
  });

  test('a common name of any other encoding of its object identifier is none', () => {
    const named = (type: string): Buffer =>
      sequence(der(TAG.set, sequence(der(TAG.oid, Buffer.from(type, 'hex')), der(TAG.utf8String, Buffer.from('device')))));
    assert.deepEqual(readCommonNames(named('550403')), ['device']);
    for (const type of ['5504038000', '55048003', '55040380', '80550403'])
      assert.deepEqual(readCommonNames(named(type)), [], type);
    assert.throws(() => readDistinguishedName(named('')), DerError);
  });
});

describe('strings', () => {
  const samples: Readonly<Record<StringType, readonly [text: string, hex: string, refused: string]>> = {
    utf8String: ['aß中😀', '61c39fe4b8adf09f9880', '\udc00'],
    numericString: ['12 34', '3132203334', '1a'],
    printableString: ["A'(),-./:=?+ 9", '412728292c2d2e2f3a3d3f2b2039', 'a@b'],
    teletexString: ['Größe', '4772f6df65', 'œ'],
    ia5String: ['a@b_*\t', '6140625f2a09', 'ü'],
    universalString: ['a😀', '000000610001f600', '\ud800'],
    bmpString: ['a中', '00614e2d', '😀'],
  };
  for (const [type, [text, hex, other]] of Object.entries(samples) as [StringType, (typeof samples)[StringType]][])
    test(`${type}: written, read, refused`, () => {
      const encoded = encodeString(type, text);
      assert.equal(encoded?.content.toString('hex'), hex);
      assert.equal(decodeString(encoded.tag, encoded.content), text);
      assert.equal(encodeString(type, other), undefined);
    });

  test('broken bytes are no text, a tag of another kind is no string', () => {
    assert.throws(() => decodeString(0x0c, Buffer.of(0xff)), DerError);
    assert.throws(() => decodeString(0x1e, Buffer.of(0)), DerError);
    assert.throws(() => decodeString(0x1c, Buffer.of(0, 0x11, 0, 0)), DerError);
    assert.equal(decodeString(TAG.integer, Buffer.of(1)), undefined);
  });
});

test('object identifiers are read as they were written, and in hexadecimal where they are not DER', () => {
  for (const dotted of ['2.5.4.3', '0.9.2342.19200300.100.1.1', '1.2.840.113549.1.1.11', '2.999.4294967296'])
    assert.equal(readOid(sequenceOf(sequence(oid(dotted))).value(TAG.oid).content), dotted);
  for (const hex of ['80', '5581', '2a8003', `2a${'ff'.repeat(9)}7f`]) assert.equal(readOid(Buffer.from(hex, 'hex')), hex);
});
