/** Imported certificates (ACM API reference; ACM user guide, pages import-certificate and import-reimport). */
import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { before, beforeEach, test } from 'node:test';
import type { Authority } from '../authority/authority.ts';
import type { Store } from '../store/contract.ts';
import { openTestAuthority } from '../testing/authority-fixture.ts';
import { caller, clockAt, stranger, TestStores } from '../testing/operations-fixture.ts';
import { acmListingOperations } from './server-certificate-listings.operations.ts';
import { type AcmHandler, acmOperations } from './server-certificates.operations.ts';
import { serverKeys } from './store.ts';

const DAY = 86_400_000;

interface Brought {
  readonly certificate: string;
  readonly privateKey: string;
  /** What stands above the certificate, without the root. */
  readonly chain: string;
}

const clock = clockAt(Date.UTC(2026, 5, 1));
let authority: Authority;
let ec: Brought;
let rsa: Brought;
before(async () => {
  authority = await openTestAuthority(clock, ['localhost']);
  [ec, rsa] = (await issue('iot.example.com')) as [Brought, Brought];
});

async function issue(hostName: string): Promise<Brought[]> {
  const { key, cert } = await authority.issueServerCertificate(hostName);
  return cert.map((chain, index) => {
    const [certificate = '', ...above] = chain.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n/g) ?? [];
    return { certificate, chain: above.join(''), privateKey: key[index] ?? '' };
  });
}

const stores = new TestStores();
let store: Store;
let acm: Readonly<Record<string, AcmHandler>>;
let users: string[] = [];
beforeEach(async () => {
  users = [];
  clock.at = Date.UTC(2026, 5, 1);
  store = await stores.next();
  const options = {
    store,
    clock,
    usedBy: async () => users,
  };
  acm = { ...acmOperations(options), ...acmListingOperations(options) };
});
const call = async <T = Record<string, unknown>>(name: string, input: object, by = caller): Promise<T> =>
  (await acm[name]?.(input as Record<string, unknown>, by)) as T;
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const blobs = ({ certificate, privateKey, chain }: Brought) => ({
  Certificate: base64(certificate),
  PrivateKey: base64(privateKey),
  CertificateChain: chain === '' ? undefined : base64(chain),
});
const bring = async (brought: Brought, more: object = {}): Promise<string> =>
  (await call<{ CertificateArn: string }>('ImportCertificate', { ...blobs(brought), ...more })).CertificateArn;

test('a certificate is imported, described and got; its key is kept apart and shown by nothing', async () => {
  const arn = await bring(ec, { Tags: [{ Key: 'a', Value: 'b' }] });
  assert.match(arn, /^arn:aws:acm:us-east-1:123456789012:certificate\/[0-9a-f-]{36}$/);
  const { Certificate } = await call<{ Certificate: Record<string, unknown> }>('DescribeCertificate', { CertificateArn: arn });
  assert.equal(Certificate.DomainName, 'iot.example.com');
  assert.deepEqual(Certificate.SubjectAlternativeNames, ['iot.example.com']);
  assert.equal(Certificate.KeyAlgorithm, 'EC_prime256v1');
  assert.equal(Certificate.Status, 'ISSUED');
  assert.equal(Certificate.Type, 'IMPORTED');
  assert.equal(Certificate.ImportedAt, clock.at / 1000);
  assert.match(String(Certificate.Serial), /^[0-9a-f]{2}(:[0-9a-f]{2})+$/);
  assert.deepEqual(Certificate.ExtendedKeyUsages, [{ Name: 'TLS_WEB_SERVER_AUTHENTICATION', OID: '1.3.6.1.5.5.7.3.1' }]);
  const got = await call('GetCertificate', { CertificateArn: arn });
  assert.deepEqual(got, { Certificate: ec.certificate, CertificateChain: ec.chain });

  const lists = await call('ListCertificates', { Includes: { keyTypes: ['EC_prime256v1'] } });
  const tags = await call('ListTagsForCertificate', { CertificateArn: arn });
  const shown = JSON.stringify([Certificate, got, lists, tags]);
  const secret = createPrivateKey(ec.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString().split('\n')[2] ?? '';
  assert.ok(secret.length > 20 && !shown.includes(secret) && !/PRIVATE/.test(shown));
  const id = arn.split('/')[1] ?? '';
  const kept = await store.read((tx) => tx.get(serverKeys, [caller.accountId, id]));
  assert.ok(kept?.privateKeyPem.includes(secret));
});

test('what can not be served is refused as ACM does, and no message repeats the key', async () => {
  const [other] = (await issue('other.example.com')) as [Brought];
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 })
    .privateKey.export({ type: 'pkcs1', format: 'pem' })
    .toString();
  const encrypted = createPrivateKey(ec.privateKey)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-128-cbc', passphrase: 'x' })
    .toString();
  const faults: [Partial<Record<string, string>>, RegExp][] = [
    [{ PrivateKey: base64(other.privateKey) }, /does not match/],
    [{ PrivateKey: base64(small) }, /does not match/],
    [{ PrivateKey: base64(encrypted) }, /encrypted/],
    [{ PrivateKey: base64('no key') }, /not a private key/],
    [{ PrivateKey: '%%%' }, /base64/],
    [{ PrivateKey: base64('x'.repeat(6_000)) }, /length/],
    [{ Certificate: base64(ec.certificate + ec.chain) }, /more than one certificate/],
    [{ Certificate: base64('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----') }, /not valid/],
    [{ Certificate: base64('nothing') }, /no certificate/],
    [{ Certificate: undefined }, /not be null/],
    [{ CertificateChain: base64(rsa.chain) }, /with the certificate chain/],
    [{ CertificateChain: undefined }, /not a valid self signed/],
    [{ CertificateChain: base64(ec.chain.repeat(11)) }, /more than 10/],
  ];
  for (const [change, message] of faults) {
    const failure = await call('ImportCertificate', { ...blobs(ec), ...change }).then(
      () => assert.fail(`imported with ${JSON.stringify(Object.keys(change))}`),
      (error: Error & { code: string }) => error,
    );
    assert.equal(failure.code, 'ValidationException');
    assert.match(failure.message, message);
    if (change.PrivateKey !== undefined) assert.ok(!failure.message.includes(change.PrivateKey));
  }
  clock.at += 400 * DAY;
  await assert.rejects(call('ImportCertificate', blobs(ec)), { code: 'ValidationException', message: /not valid at this time/ });
  assert.deepEqual(await store.read((tx) => tx.scan(serverKeys, { prefix: [] })), { items: [] });
});

test('a replacement keeps the ARN, the tags, the names and the kind of key (page import-reimport)', async () => {
  const arn = await bring(ec, { Tags: [{ Key: 'a' }] });
  const [again] = (await issue('iot.example.com')) as [Brought];
  const [elsewhere] = (await issue('other.example.com')) as [Brought];
  clock.at += DAY;
  assert.equal(await bring(again, { CertificateArn: arn }), arn);
  assert.equal((await call('GetCertificate', { CertificateArn: arn })).Certificate, again.certificate);
  assert.deepEqual(await call('ListTagsForCertificate', { CertificateArn: arn }), { Tags: [{ Key: 'a' }] });
  await assert.rejects(bring(rsa, { CertificateArn: arn }), { code: 'ValidationException' });
  await assert.rejects(bring(elsewhere, { CertificateArn: arn }), { code: 'ValidationException' });
  await assert.rejects(bring(again, { CertificateArn: arn, Tags: [{ Key: 'b' }] }), { code: 'InvalidParameterException' });
});

test('one in use stays; another account’s are not there; an ARN of something else is none', async () => {
  const arn = await bring(ec);
  users = ['arn:aws:iot:us-east-1:123456789012:domainconfiguration/own/abcde'];
  await assert.rejects(call('DeleteCertificate', { CertificateArn: arn }), { code: 'ResourceInUseException' });
  const { Certificate } = await call<{ Certificate: Record<string, unknown> }>('DescribeCertificate', { CertificateArn: arn });
  assert.deepEqual(Certificate.InUseBy, users);
  users = [];
  const named = ['DescribeCertificate', 'GetCertificate', 'DeleteCertificate', 'ListTagsForCertificate'];
  for (const name of named) {
    await assert.rejects(call(name, { CertificateArn: arn }, stranger), { code: 'ResourceNotFoundException' }, name);
    const west = { ...caller, region: 'us-west-2' };
    await assert.rejects(call(name, { CertificateArn: arn }, west), { code: 'ResourceNotFoundException' }, name);
    await assert.rejects(call(name, { CertificateArn: 'arn:aws:iam::123456789012:server-certificate/x' }), {
      code: 'InvalidArnException',
    });
    await assert.rejects(call(name, { CertificateArn: 'short' }), { code: 'ValidationException' }, name);
    await assert.rejects(call(name, {}), { code: 'ValidationException' }, name);
  }
  await call('DeleteCertificate', { CertificateArn: arn });
  await assert.rejects(call('DescribeCertificate', { CertificateArn: arn }), { code: 'ResourceNotFoundException' });
  assert.deepEqual((await store.read((tx) => tx.scan(serverKeys, { prefix: [] }))).items, []);
});

test('a list shows RSA certificates unless other keys are asked for, by page and by status (ACM API, Filters)', async () => {
  const arns: string[] = [];
  for (const brought of [rsa, ec, rsa]) {
    clock.at += 1000;
    arns.push(await bring(brought));
  }
  const list = async (input: object): Promise<{ arns: (string | undefined)[]; next?: string }> => {
    const { CertificateSummaryList, NextToken } = await call<{
      CertificateSummaryList: { CertificateArn: string }[];
      NextToken?: string;
    }>('ListCertificates', input);
    return { arns: CertificateSummaryList.map(({ CertificateArn }) => CertificateArn), ...(NextToken && { next: NextToken }) };
  };
  assert.deepEqual(await list({}), { arns: [arns[0], arns[2]] });
  const Includes = { keyTypes: ['RSA_2048', 'EC_prime256v1'], extendedKeyUsage: ['TLS_WEB_SERVER_AUTHENTICATION'] };
  assert.deepEqual(await list({ Includes, SortBy: 'CREATED_AT', SortOrder: 'DESCENDING' }), { arns: arns.toReversed() });
  const { next, arns: first } = await list({ Includes, MaxItems: 2 });
  assert.deepEqual(first, arns.slice(0, 2));
  assert.deepEqual(await list({ Includes, MaxItems: 2, NextToken: next }), { arns: [arns[2]] });
  assert.deepEqual(await list({ Includes, CertificateStatuses: ['EXPIRED'] }), { arns: [] });
  clock.at += 400 * DAY;
  assert.deepEqual(await list({ Includes, CertificateStatuses: ['EXPIRED'] }), { arns });
  await assert.rejects(list({ Includes: { keyUsage: ['ANY'] } }), { code: 'InvalidArgsException' });
  await assert.rejects(list({ SortBy: 'CREATED_AT' }), { code: 'ValidationException' });
  await assert.rejects(list({ MaxItems: 0 }), { code: 'ValidationException' });
});

test('tags are added, replaced by key, removed by key or by pair; fifty at most', async () => {
  const CertificateArn = await bring(ec);
  const tags = async (): Promise<unknown> => (await call('ListTagsForCertificate', { CertificateArn })).Tags;
  assert.equal(await tags(), undefined);
  await call('AddTagsToCertificate', { CertificateArn, Tags: [{ Key: 'a', Value: '1' }, { Key: 'b' }] });
  await call('AddTagsToCertificate', { CertificateArn, Tags: [{ Key: 'a', Value: '2' }] });
  assert.deepEqual(await tags(), [{ Key: 'a', Value: '2' }, { Key: 'b' }]);
  await call('RemoveTagsFromCertificate', { CertificateArn, Tags: [{ Key: 'a', Value: '1' }, { Key: 'b' }] });
  assert.deepEqual(await tags(), [{ Key: 'a', Value: '2' }]);
  const many = Array.from({ length: 50 }, (_, index) => ({ Key: `k${index}` }));
  await assert.rejects(call('AddTagsToCertificate', { CertificateArn, Tags: many }), { code: 'TooManyTagsException' });
  await assert.rejects(call('AddTagsToCertificate', { CertificateArn, Tags: [{ Key: 'aws:x' }] }), {
    code: 'InvalidTagException',
  });
  await assert.rejects(call('AddTagsToCertificate', { CertificateArn, Tags: [{ Value: 'x' }] }), { code: 'InvalidTagException' });
});
