import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { der, oid, sequence } from '@thingkeep/x509/der.ts';
import fc from 'fast-check';
import { type CertificateNames, readCertificateNames } from './certificate-names.ts';
import { compilePolicies } from './compile.ts';
import { asksForCertificate, deviceContext } from './variables.ts';

const utf8 = (text: string) => der(0x0c, Buffer.from(text));
const printable = (text: string) => der(0x13, Buffer.from(text, 'latin1'));

type Attributes = readonly (readonly [type: string, value: Buffer])[];
const name = (attributes: Attributes) =>
  sequence(...attributes.map(([type, value]) => der(0x31, sequence(oid(`2.5.4.${type}`), value))));
const extension = (id: string, ...names: Buffer[]) => sequence(oid(`2.5.29.${id}`), der(0x04, sequence(...names)));

const ECDSA_WITH_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const PUBLIC_KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'der' });
const CA: Attributes = [['3', utf8('CA')]];

/** A certificate whose names are what a test wants. Its signature is never looked at here. */
function certificate(subject: Attributes, issuer: Attributes = CA, ...extensions: Buffer[]): Buffer {
  const time = (text: string) => der(0x17, Buffer.from(text));
  const signed = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from('00921285cbb7a5e086', 'hex')),
    ECDSA_WITH_SHA256,
    name(issuer),
    sequence(time('240326032540Z'), time('490428032540Z')),
    name(subject),
    PUBLIC_KEY,
    ...(extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions))]),
  );
  const whole = sequence(
    signed,
    ECDSA_WITH_SHA256,
    der(0x03, Buffer.from([0]), sequence(der(2, Buffer.of(1)), der(2, Buffer.of(1)))),
  );
  // OpenSSL reads it too: what the tests write is a certificate.
  assert.equal(new X509Certificate(whole).serialNumber, '921285CBB7A5E086');
  return whole;
}

const read = (bytes: Uint8Array): CertificateNames => readCertificateNames(bytes) ?? assert.fail('not read');

const SUBJECT: Attributes = [
  ['6', printable('US')],
  ['10', utf8('IoT Devices')],
  ['11', utf8('LightBulb')],
  ['8', utf8('NY')],
  ['7', utf8('Nowhere')],
  ['3', utf8('LightBulb Device Cert')],
  ['42', utf8('Bulb')],
  ['43', utf8('ZZ')],
  ['46', printable('Bulb001')],
  ['4', utf8('Multi Color')],
  ['12', der(0x1e, Buffer.from('\0R\0G\0B', 'latin1'))],
  ['65', utf8('RGB Device')],
  ['44', utf8('4')],
  ['5', printable('123')],
];

test('every attribute of the guide has its variable (developer guide, page use-policy-variables)', () => {
  const names = read(certificate(SUBJECT));
  assert.deepEqual(Object.fromEntries(names.subject), {
    Country: ['US'],
    Organization: ['IoT Devices'],
    OrganizationalUnit: ['LightBulb'],
    State: ['NY'],
    CommonName: ['LightBulb Device Cert'],
    GivenName: ['Bulb'],
    Initials: ['ZZ'],
    DistinguishedNameQualifier: ['Bulb001'],
    Surname: ['Multi Color'],
    Title: ['RGB'],
    Pseudonym: ['RGB Device'],
    GenerationQualifier: ['4'],
    SerialNumber: ['123'],
  });
  assert.deepEqual(Object.fromEntries(names.issuer), { CommonName: ['CA'] });
  assert.equal(names.serialNumber, '10525622389124227206');
});

test("the one RDN of AWS's own issuer is one value, escaped as the guide prints it", () => {
  const issuer: Attributes = [['11', utf8('Amazon Web Services O=Amazon.com Inc. L=Seattle ST=Washington C=US')]];
  assert.deepEqual(Object.fromEntries(read(certificate([['3', utf8('AWS IoT Certificate')]], issuer)).issuer), {
    OrganizationalUnit: ['Amazon Web Services O\\=Amazon.com Inc. L\\=Seattle ST\\=Washington C\\=US'],
  });
});

test('alternative names of subject and issuer (developer guide, page use-policy-variables)', () => {
  const general = (tag: number, text: string) => der(tag, Buffer.from(text, 'latin1'));
  const directory = name([
    ['6', printable('US')],
    ['10', utf8('IoT')],
    ['11', utf8('SmartHome')],
    ['3', utf8('LightBulbCert')],
  ]);
  const names = read(
    certificate(
      [['3', utf8('d')]],
      CA,
      extension(
        '17',
        general(0x82, 'example.com'),
        der(0x87, Buffer.from([1, 2, 3, 4])),
        general(0x86, 'ResourceIdentifier001'),
        general(0x81, 'device1@example.com'),
        der(0xa4, directory),
      ),
      extension('18', general(0x82, 'issuer.com'), der(0x87, Buffer.from('20010db8000000000000000000000001', 'hex'))),
    ),
  );
  assert.deepEqual(Object.fromEntries(names.subjectAlternative), {
    DNSName: ['example.com'],
    IPAddress: ['1.2.3.4'],
    UniformResourceIdentifier: ['ResourceIdentifier001'],
    RFC822Name: ['device1@example.com'],
    DirectoryName: ['cn=LightBulbCert,ou=SmartHome,o=IoT,c=US'],
  });
  assert.deepEqual(Object.fromEntries(names.issuerAlternative), { DNSName: ['issuer.com'], IPAddress: ['2001:db8:0:0:0:0:0:1'] });
});

test('a plain name is the first value, .1 the second, .List all, five at most (page cert-policy-variables)', () => {
  const whole = certificate(['One', 'Two', 'Three', 'Four', 'Five', 'Six'].map((text) => ['10', utf8(text)] as const));
  const { keys } = deviceContext({ protocol: 'http', now: 0, isAttached: false, certificateDer: whole });
  const key = 'iot:certificate.subject.organization';
  assert.deepEqual(keys.get(key), ['One']);
  assert.deepEqual(keys.get(`${key}.0`), ['One']);
  assert.deepEqual(keys.get(`${key}.1`), ['Two']);
  assert.equal(keys.get(`${key}.5`), undefined);
  assert.deepEqual(keys.get(`${key}.list`), ['One', 'Two', 'Three', 'Four', 'Five']);
  assert.deepEqual(keys.get('iot:certificate.availablekeys'), [
    'iot:Certificate.SerialNumber',
    'iot:Certificate.Subject.Organization',
    'iot:Certificate.Issuer.CommonName',
  ]);
});

test('a country with a stray control character, and a separator inside a value, are text', () => {
  const names = read(
    certificate([
      ['3', utf8('a, O=Forged')],
      ['6', printable('\u0005us')],
    ]),
  );
  assert.deepEqual(Object.fromEntries(names.subject), { CommonName: ['a\\, O\\=Forged'], Country: ['\u0005us'] });
});

test('alternative names whose lengths are not DER are none, and all other names are there', () => {
  // The length in two bytes where one is enough (X.690, 10.1).
  const alternative = sequence(oid('2.5.29.17'), der(0x04, Buffer.from([0x30, 0x04, 0x82, 0x81, 0x01, 0x61])));
  const names = read(certificate([['3', utf8('lamp')]], CA, alternative, extension('18', der(0x82, Buffer.from('b')))));
  assert.deepEqual(Object.fromEntries(names.subject), { CommonName: ['lamp'] });
  assert.deepEqual(Object.fromEntries(names.issuer), { CommonName: ['CA'] });
  assert.equal(names.subjectAlternative.size, 0);
  assert.deepEqual(Object.fromEntries(names.issuerAlternative), { DNSName: ['b'] });
});

test('an extension that stands twice makes the certificate unreadable (RFC 5280 section 4.2)', () => {
  const alternative = extension('17', der(0x82, Buffer.from('a')));
  assert.ok(readCertificateNames(certificate([], CA, alternative)) !== undefined);
  assert.equal(readCertificateNames(certificate([], CA, alternative, alternative)), undefined);
});

test('policies say whether a certificate has to be read at all', () => {
  const asks = (statement: object): boolean => {
    const document = JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: '*', ...statement } });
    return asksForCertificate(compilePolicies([{ policyName: 'p', document }]));
  };
  const arn = 'arn:aws:iot:us-east-1:123456789012:topic';
  const condition = (key: string, value: string): object => ({ Resource: '*', Condition: { StringEquals: { [key]: value } } });
  for (const statement of [
    { Resource: `${arn}/\${iot:Certificate.Subject.CommonName}` },
    { NotResource: ['*', `${arn}/a/\${IOT:certificate.serialNumber}`] },
    condition('iot:Certificate.Issuer.Country', 'US'),
    condition('iot:ClientId', '${iot:Certificate.AvailableKeys}'),
  ])
    assert.equal(asks(statement), true, JSON.stringify(statement));
  for (const statement of [
    { Resource: '*' },
    { Resource: `${arn}/\${iot:ClientId}/\${iot:Connection.Thing.ThingName}` },
    { Resource: `${arn}/iot:Certificate.Subject.CommonName` },
    condition('iot:ClientId', 'iot:Certificate.Subject'),
  ])
    assert.equal(asks(statement), false, JSON.stringify(statement));
});

test('no bytes make the reader throw', () => {
  const whole = certificate(SUBJECT, CA, extension('17', der(0x82, Buffer.from('a')), der(0xa4, name(CA))));
  const mutation = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), fc.nat(whole.length), (mutations, length) => {
      const broken = Uint8Array.from(whole.subarray(0, length % 7 === 0 ? length : whole.length));
      for (const [at, octet] of mutations) if (at < broken.length) broken[at] = octet;
      readCertificateNames(broken);
    }),
    { numRuns: 5000 },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => void readCertificateNames(octets)));
  assert.equal(readCertificateNames(new Uint8Array(100_000)), undefined);
  assert.equal(readCertificateNames(new Uint8Array()), undefined);
});
