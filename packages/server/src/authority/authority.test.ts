// needs: openssl
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmod, copyFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { sequence } from '@thingkeep/x509/der.ts';
import { publicKeyOf } from '@thingkeep/x509/public-key.ts';
import { csrDer, csrPem, nameOf, newEcKey, newRsaKey, PRINTABLE_STRING } from '@thingkeep/x509/testing/csrs.ts';
import fc from 'fast-check';
import type { Clock } from '../runtime/clock.ts';
import { type Authority, openAuthority } from './authority.ts';

const run = promisify(execFile);
const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 20, 11, 30, 15, 250);
/** The same moment for openssl. */
const AT = String(Math.floor(NOW / 1000));

class Place implements AsyncDisposable {
  readonly folder: string;
  readonly clock: Clock & { at: number };

  private constructor(folder: string) {
    this.folder = folder;
    const clock = { at: NOW, now: () => clock.at, monotonic: () => clock.at };
    this.clock = clock;
  }

  static async make(): Promise<Place> {
    return new Place(await mkdtemp(join(tmpdir(), 'authority-')));
  }

  get keys(): string {
    return join(this.folder, 'ca');
  }

  open(hostNames: readonly string[] = ['iot.example.com', '192.0.2.7']): Promise<Authority> {
    return openAuthority({ folder: this.keys, clock: this.clock, hostNames });
  }

  async file(name: string, text: string): Promise<string> {
    const path = join(this.folder, name);
    await writeFile(path, text);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

const fails = (work: Promise<unknown>, words: RegExp): Promise<void> =>
  assert.rejects(work, { name: 'AuthorityError', message: words });
const expiryOf = (pem: string): number => new X509Certificate(pem).validToDate.getTime();
/** A certificate's times are whole seconds; those of one that was just made are as they were asked for. */
const wholeSecond = (milliseconds: number): number => milliseconds - (milliseconds % 1000);

const split = (pem: string): string[] => pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/g) ?? [];
const text = async (path: string): Promise<string> => (await run('openssl', ['x509', '-in', path, '-noout', '-text'])).stdout;

describe('the server side', () => {
  test('openssl verifies both server certificates with the bundle of roots, by name and by address', async () => {
    await using place = await Place.make();
    const authority = await place.open();
    const roots = await place.file('roots.pem', authority.rootCaPem);
    const { key, cert } = authority.serverCredentials();
    assert.equal(key.length, 2);
    for (const [i, chain] of cert.entries()) {
      const [leaf = '', intermediate = '', ...more] = split(chain);
      assert.deepEqual(more, []);
      const leafFile = await place.file('leaf.pem', leaf);
      const untrusted = await place.file('intermediate.pem', intermediate);
      for (const check of [
        ['-verify_hostname', 'iot.example.com'],
        ['-verify_hostname', 'localhost'],
        ['-verify_ip', '127.0.0.1'],
        ['-verify_ip', '::1'],
        ['-verify_ip', '192.0.2.7'],
      ])
        await run('openssl', [
          'verify',
          '-x509_strict',
          '-attime',
          AT,
          '-purpose',
          'sslserver',
          '-CAfile',
          roots,
          '-untrusted',
          untrusted,
          ...check,
          leafFile,
        ]);
      const read = new X509Certificate(leaf);
      assert.equal(read.publicKey.asymmetricKeyType, i === 0 ? 'ec' : 'rsa');
      assert.ok(read.validToDate.getTime() - read.validFromDate.getTime() < 398 * DAY);
    }
    assert.match(new X509Certificate(split(authority.rootCaPem)[0] ?? '').subject, /Thingkeep ECDSA Root CA/);
    assert.equal(authority.rootCaPem, authority.ecdsaRootPem + authority.rsaRootPem);
    const { ecdsaRoot, rsaRoot, deviceIssuer } = authority.notAfter;
    assert.deepEqual(
      [ecdsaRoot, rsaRoot, deviceIssuer].map(wholeSecond),
      [authority.ecdsaRootPem, authority.rsaRootPem, authority.deviceIssuerPem].map(expiryOf),
    );
  });

  test('keys are closed to others, also when a copy was open; a second start changes nothing', async () => {
    await using place = await Place.make();
    const first = await place.open();
    assert.equal((await stat(place.keys)).mode & 0o777, 0o700);
    const files = await readdir(place.keys);
    for (const file of files) assert.equal((await stat(join(place.keys, file))).mode & 0o777, 0o600, file);
    await chmod(join(place.keys, 'device-issuer.pem'), 0o644);
    const before = await Promise.all(files.map((file) => readFile(join(place.keys, file), 'utf8')));
    const second = await place.open();
    assert.equal((await stat(join(place.keys, 'device-issuer.pem'))).mode & 0o777, 0o600);
    assert.deepEqual(await Promise.all(files.map((file) => readFile(join(place.keys, file), 'utf8'))), before);
    assert.equal(second.rootCaPem, first.rootCaPem);
    assert.deepEqual(second.serverCredentials(), first.serverCredentials());
  });

  test('renews when less than a third of the life is left, and keeps it; who asks beside it hears the same', async () => {
    await using place = await Place.make();
    const authority = await place.open();
    const { cert } = authority.serverCredentials();
    place.clock.at += 240 * DAY;
    assert.equal(await authority.rotateIfDue(), false);
    place.clock.at += 10 * DAY;
    assert.deepEqual(await Promise.all([authority.rotateIfDue(), authority.rotateIfDue()]), [true, true]);
    assert.equal(await authority.rotateIfDue(), false);
    const renewed = authority.serverCredentials();
    assert.notDeepEqual(renewed.cert, cert);
    assert.ok(new X509Certificate(renewed.cert[0] ?? '').validToDate.getTime() > place.clock.at + 364 * DAY);
    assert.deepEqual((await place.open()).serverCredentials(), renewed);
    place.clock.at += 400 * DAY;
    assert.equal(await authority.rotateIfDue(), true);
  });

  test('new host names get new certificates at the next start, under the same roots', async () => {
    await using place = await Place.make();
    const first = await place.open(['a.example.com']);
    const second = await place.open(['b.example.com', '2001:db8::7']);
    assert.equal(second.rootCaPem, first.rootCaPem);
    const names = new X509Certificate(second.serverCredentials().cert[1] ?? '').subjectAltName ?? '';
    assert.match(names, /DNS:b\.example\.com.*2001:DB8:0:0:0:0:0:7.*DNS:localhost/);
    assert.doesNotMatch(names, /a\.example/);
  });

  test('names that no certificate can carry are refused before anything is written', async () => {
    await using place = await Place.make();
    for (const name of ['', 'a b', 'x,DNS:evil', 'ü.example', 'fe80::1%eth0', '::1::', '1:2', '300.1.1.1', '-a', 'a\0b'])
      await fails(place.open([name]), /no host name/);
    assert.deepEqual(await readdir(place.folder), []);
  });
});

describe('a key folder that suffered', () => {
  test('a first start that was stopped goes on where it was', async () => {
    await using place = await Place.make();
    const first = await place.open();
    for (const file of ['complete', 'rsa-intermediate.pem', 'device-issuer.pem', 'server-rsa.pem'])
      await rm(join(place.keys, file));
    await writeFile(join(place.keys, 'rsa-intermediate.pem.writing'), '-----BEGIN PRIV');
    const second = await place.open();
    assert.equal(second.rootCaPem, first.rootCaPem);
    assert.ok(!(await readdir(place.keys)).some((file) => file.endsWith('.writing')));
    assert.ok((await readdir(place.keys)).includes('complete'));
  });

  test('an authority that is lost or damaged is said, never replaced', async () => {
    await using place = await Place.make();
    await place.open();
    const file = join(place.keys, 'device-issuer.pem');
    const kept = await readFile(file, 'utf8');
    await rm(file);
    await fails(place.open(), /device-issuer\.pem is missing; restore/);
    await writeFile(file, kept.slice(0, 900));
    await fails(place.open(), /device-issuer\.pem is damaged; restore/);
    const other = await readFile(join(place.keys, 'rsa-root.pem'), 'utf8');
    await writeFile(file, kept.slice(0, kept.indexOf('-----BEGIN CERT')) + other.slice(other.indexOf('-----BEGIN CERT')));
    await fails(place.open(), /device-issuer\.pem is damaged/);
    await writeFile(file, kept);
    const intermediate = await readFile(join(place.keys, 'ecdsa-intermediate.pem'), 'utf8');
    await using elsewhere = await Place.make();
    await elsewhere.open();
    await copyFile(join(elsewhere.keys, 'ecdsa-intermediate.pem'), join(place.keys, 'ecdsa-intermediate.pem'));
    await fails(place.open(), /not signed by the root/);
    await writeFile(join(place.keys, 'ecdsa-intermediate.pem'), intermediate);
    await rm(join(place.keys, 'complete'));
    await rm(join(place.keys, 'ecdsa-root.pem'));
    await fails(place.open(), /a root is missing/);
  });

  test('a server certificate that is lost or damaged is made again', async () => {
    await using place = await Place.make();
    const first = await place.open();
    await writeFile(join(place.keys, 'server-ecdsa.pem'), 'rubbish');
    await rm(join(place.keys, 'server-rsa.pem'));
    const second = await place.open();
    assert.equal(second.rootCaPem, first.rootCaPem);
    assert.equal(second.serverCredentials().cert.length, 2);
  });

  test('a folder that is no folder is said plainly', async () => {
    await using place = await Place.make();
    await writeFile(place.keys, '');
    await fails(place.open(), /key folder .* can't be used/);
  });
});

describe("an operator's own server certificate", () => {
  const selfSigned = async (place: Place, key: string, options: string[] = []): Promise<{ certPem: string; keyPem: string }> => {
    const keyFile = join(place.folder, 'own.key');
    const certFile = join(place.folder, 'own.crt');
    await run('openssl', [
      'req',
      '-x509',
      '-nodes',
      '-newkey',
      ...(key === 'ec' ? ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] : ['rsa:2048']),
      '-keyout',
      keyFile,
      '-out',
      certFile,
      '-subj',
      '/CN=own',
      ...options,
    ]);
    return { certPem: await readFile(certFile, 'utf8'), keyPem: await readFile(keyFile, 'utf8') };
  };

  test('takes the place of ours of its kind; the other kind stays', async () => {
    await using place = await Place.make();
    place.clock.at = Date.now() + 60_000;
    for (const kind of ['ec', 'rsa']) {
      const ownServerCertificate = await selfSigned(place, kind);
      const authority = await openAuthority({ folder: place.keys, clock: place.clock, hostNames: [], ownServerCertificate });
      const { cert } = authority.serverCredentials();
      const types = cert.map((each) => new X509Certificate(each).publicKey.asymmetricKeyType);
      assert.deepEqual(types, ['ec', 'rsa']);
      assert.equal(new X509Certificate(cert[kind === 'ec' ? 0 : 1] ?? '').subject, 'CN=own');
      assert.notEqual(new X509Certificate(cert[kind === 'ec' ? 1 : 0] ?? '').subject, 'CN=own');
      for (const served of authority.serverCertificates())
        assert.equal(wholeSecond(served.notAfter), expiryOf(served.cert), served.kind);
    }
  });

  test('each fault has its own words', async () => {
    await using place = await Place.make();
    place.clock.at = Date.now() + 60_000;
    const good = await selfSigned(place, 'ec');
    const other = await selfSigned(place, 'ec');
    const edwards = { keyPem: '', certPem: '' };
    const open = (ownServerCertificate: { certPem: string; keyPem: string }) =>
      openAuthority({ folder: place.keys, clock: place.clock, hostNames: [], ownServerCertificate });
    await fails(open({ ...good, keyPem: other.keyPem }), /its key is not the one/);
    await fails(open({ ...good, certPem: good.certPem + other.certPem }), /chain is broken/);
    await fails(open({ ...good, certPem: 'nothing' }), /holds no certificate/);
    await fails(open({ ...good, keyPem: 'nothing' }), /no private key/);
    await fails(open(edwards), /no private key/);
    const { stdout: encrypted } = await run('openssl', [
      'pkcs8',
      '-topk8',
      '-in',
      join(place.folder, 'own.key'),
      '-passout',
      'pass:x',
    ]);
    await fails(open({ ...other, keyPem: encrypted }), /encrypted/);
    place.clock.at += 40 * DAY;
    await fails(open(good), /expired on/);
    place.clock.at -= 50 * DAY;
    await fails(open(good), /not valid before/);
  });
});

describe("devices' certificates look like AWS's", () => {
  test('where the server makes the keys: subject, issuer, dates, extensions in order, formats of the keys', async () => {
    await using place = await Place.make();
    const authority = await place.open();
    const issued = await authority.issueWithNewKey();
    assert.match(issued.privateKeyPem, /^-----BEGIN RSA PRIVATE KEY-----\n/);
    assert.match(issued.publicKeyPem, /^-----BEGIN PUBLIC KEY-----\n/);
    assert.match(
      issued.certificatePem,
      /^-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=]{64}\n)*[A-Za-z0-9+/=]{1,64}\n-----END CERTIFICATE-----\n$/,
    );
    const read = new X509Certificate(issued.certificatePem);
    assert.equal(read.fingerprint256.replaceAll(':', '').toLowerCase(), issued.certificateId);
    assert.equal(read.serialNumber.length, 40);
    assert.ok(Number.parseInt(read.serialNumber[0] ?? 'f', 16) < 8);
    // Two minutes before its creation, to the end of 2049 (developer guide, page x509-client-certs).
    assert.equal(read.validFromDate.getTime(), Date.UTC(2026, 10, 20, 11, 28, 15));
    assert.equal(issued.notBefore, read.validFromDate.getTime());
    assert.equal(read.validToDate.toISOString(), '2049-12-31T23:59:59.000Z');
    assert.equal(issued.notAfter, read.validToDate.getTime());

    const file = await place.file('device.pem', issued.certificatePem);
    const printed = await text(file);
    assert.match(printed, /Version: 3/);
    assert.match(printed, /Issuer: OU = "?Amazon Web Services O=Amazon\.com Inc\. L=Seattle ST=Washington C=US"?\n/);
    assert.match(printed, /Subject: CN = AWS IoT Certificate\n/);
    assert.match(printed, /Signature Algorithm: sha256WithRSAEncryption/);
    const order = [
      'Authority Key Identifier',
      'Subject Key Identifier',
      'Basic Constraints: critical\n                CA:FALSE',
      'Key Usage: critical\n                Digital Signature\n',
    ];
    const places = order.map((each) => printed.indexOf(each));
    assert.ok(
      places.every((at, i) => at > (places[i - 1] ?? 0)),
      printed,
    );
    assert.equal([...printed.matchAll(/X509v3 [A-Z][A-Za-z ]+:/g)].length, 4);

    const issuer = await place.file('issuer.pem', authority.deviceIssuerPem);
    await run('openssl', ['verify', '-x509_strict', '-attime', AT, '-purpose', 'sslclient', '-CAfile', issuer, file]);
    const key = await place.file('device.key', issued.privateKeyPem);
    const { stdout: ofKey } = await run('openssl', ['pkey', '-in', key, '-pubout']);
    assert.equal(ofKey, issued.publicKeyPem);
  });

  test('from a request: key and subject as sent; the same request again gives another certificate', async () => {
    await using place = await Place.make();
    const authority = await place.open();
    const subject = nameOf(['2.5.4.6', PRINTABLE_STRING, '\x05us'], ['2.5.4.3', PRINTABLE_STRING, 'RIMPLE*DEVICE']);
    for (const key of [newEcKey(), newEcKey('P-384'), newEcKey('P-521'), newRsaKey()]) {
      const prepared = authority.prepareFromCsr(csrPem(csrDer({ key, subject }), 76));
      const [first, second] = await Promise.all([authority.issue(prepared), authority.issue(prepared)]);
      assert.notEqual(first.certificateId, second.certificateId);
      const read = new X509Certificate(first.certificatePem);
      assert.ok(read.checkPrivateKey(key));
      assert.ok(read.raw.includes(subject) && read.raw.includes(publicKeyOf(key)));
      assert.ok(read.verify(new X509Certificate(authority.deviceIssuerPem).publicKey));
      await run('openssl', [
        'verify',
        '-attime',
        AT,
        '-CAfile',
        await place.file('issuer.pem', authority.deviceIssuerPem),
        await place.file('device.pem', first.certificatePem),
      ]);
    }
  });

  test('a subject that would make an unreadable certificate is a bad request', async () => {
    await using place = await Place.make();
    const authority = await place.open();
    const key = newEcKey();
    for (const subject of [nameOf(['2.5.4.3', 0x0c, Buffer.of(0xff, 0xfe)]), nameOf(['2.5.4.3', 0x1e, 'odd']), sequence()]) {
      const prepared = authority.prepareFromCsr(csrPem(csrDer({ key, subject })));
      await authority.issue(prepared).then(
        (issued) => assert.ok(new X509Certificate(issued.certificatePem).raw.includes(subject)),
        (error: Error) => assert.equal(error.name, 'InvalidRequestException'),
      );
    }
  });

  test('whatever a well-signed subject holds: a readable certificate, or a bad request', async () => {
    await using place = await Place.make();
    const authority = await place.open();
    const key = newEcKey();
    const attribute = fc.tuple(
      fc.constantFrom('2.5.4.3', '2.5.4.6', '2.5.4.45', '1.2.840.113549.1.9.1'),
      fc.oneof(fc.nat(255), fc.constantFrom(0x03, 0x0c, 0x13, 0x14, 0x16, 0x1a, 0x1c, 0x1e)),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    );
    const outcomes = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.array(attribute, { maxLength: 8 }), async (attributes) => {
        const subject = nameOf(...attributes);
        let outcome = 'issued';
        try {
          const issued = await authority.issue(authority.prepareFromCsr(csrPem(csrDer({ key, subject }))));
          assert.ok(new X509Certificate(issued.certificatePem).raw.includes(subject));
        } catch (error) {
          outcome = (error as Error).name;
        }
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }),
      { numRuns: 600, seed: 20_261_120 },
    );
    assert.deepEqual([...outcomes.keys()].sort(), ['InvalidRequestException', 'issued']);
  });
});
