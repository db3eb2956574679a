/** A ceremony from its root to a registered signer, and what audits and cuts make of it. */
import assert from 'node:assert/strict';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { CERTIFICATE_LABELS, parseCertificate } from '@thingkeep/x509/certificate.ts';
import { onePemBlock } from '@thingkeep/x509/pem.ts';
import { SignatureError } from '@thingkeep/x509/signing.ts';
import { writeCertificateContent } from '@thingkeep/x509/write-certificate.ts';
import { openFileElement } from '../elements/file/file-element.ts';
import { auditCeremony } from './audit.ts';
import { CeremonyError, readRecord, STEPS } from './records.ts';
import { type CeremonyKey, MADE, makeRoot, makeSigner, proveSigner, registerSigner, requestSigner } from './steps.ts';
import { deviceContent, rootContent, signerContent, type TemplateName, verificationContent } from './templates.ts';

const parent = mkdtempSync(join(tmpdir(), 'thingkit-test-'));
after(() => rmSync(parent, { recursive: true }));

const NOW = Date.UTC(2026, 10, 20, 9, 19, 8, 500);
const CODE = 'd5f6f0d8';
const SUBJECTS = { root: '/O=Example Inc/CN=Example Root CA', signer: '/O=Example Inc/CN=Example Signer FFFF' };
const REGISTRATION = {
  certificateId: 'a'.repeat(64),
  certificateArn: 'arn',
  status: 'ACTIVE',
  autoRegistrationStatus: 'ENABLE',
  endpointAddress: 'localhost',
};

function newCeremony() {
  const folder = mkdtempSync(join(parent, 'ceremony-'));
  const keyOf = (name: string): CeremonyKey => {
    const element = openFileElement(`file:${join(folder, name)}`);
    return { element, key: element.defaultKey };
  };
  const clock = { now: () => NOW, monotonic: () => 0 };
  return {
    ceremony: { folder, clock },
    root: keyOf('root-ca.key'),
    signer: keyOf('signer-ca.key'),
    path: (name: string) => join(folder, name),
  };
}

async function wholeCeremony(template: TemplateName) {
  const made = newCeremony();
  const { ceremony, root, signer } = made;
  await makeRoot(ceremony, { template, subject: SUBJECTS.root, years: 25 }, root);
  await requestSigner(ceremony, SUBJECTS.signer, signer);
  await makeSigner(ceremony, { template, years: 10 }, root);
  await proveSigner(ceremony, CODE, signer);
  await registerSigner(ceremony, { isActive: true }, signer, async () => REGISTRATION);
  return made;
}

const faultsOf = (folder: string): string[] => auditCeremony(folder).flatMap(({ faults }) => faults);

for (const template of ['standard', 'zero-touch'] as const)
  test(`${template}: certificates that sign each other, and an audit without a fault`, async () => {
    const { ceremony, path } = await wholeCeremony(template);
    const [root, signer, proof] = ['root-ca', 'signer-ca', 'signer-ca-verification'].map(
      (name) => new X509Certificate(readFileSync(path(`${name}.crt`))),
    ) as [X509Certificate, X509Certificate, X509Certificate];
    assert.ok(root.ca && root.checkIssued(root) && root.verify(root.publicKey));
    assert.ok(signer.ca && signer.checkIssued(root) && signer.verify(root.publicKey));
    assert.ok(proof.verify(signer.publicKey) && proof.subject === `CN=${CODE}`);
    assert.deepEqual(
      auditCeremony(ceremony.folder).map(({ step, isSigned, faults }) => ({ step, isSigned, faults })),
      STEPS.map((step) => ({ step, isSigned: true, faults: [] })),
    );
  });

test('a step that was done is not done again: the same file, with no key used', async () => {
  const { ceremony, root, path } = await wholeCeremony('standard');
  const before = readFileSync(path('root-ca.crt'), 'utf8');
  rmSync(path('root-ca.key'));
  const again = await makeRoot(ceremony, { template: 'standard', subject: SUBJECTS.root, years: 25 }, root);
  assert.equal(again.isRepeated, true);
  assert.equal(readFileSync(path('root-ca.crt'), 'utf8'), before);
  assert.equal(existsSync(path('root-ca.key')), false);
  await assert.rejects(makeRoot(ceremony, { template: 'standard', subject: '/CN=Another', years: 25 }, root), CeremonyError);
});

test('a cut between the record and the file is mended, one before the record leaves nothing done', async () => {
  const { ceremony, root, path } = await wholeCeremony('standard');
  const before = readFileSync(path('signer-ca.crt'), 'utf8');
  rmSync(path('signer-ca.crt'));
  assert.deepEqual(
    faultsOf(ceremony.folder).filter((fault) => !fault.startsWith('signer-ca.crt is missing')),
    [],
  );
  await makeSigner(ceremony, { template: 'standard', years: 10 }, root);
  assert.equal(readFileSync(path('signer-ca.crt'), 'utf8'), before);
  assert.deepEqual(faultsOf(ceremony.folder), []);
});

test('a file that no record speaks of is not written over', async () => {
  const { ceremony, root, path } = newCeremony();
  writeFileSync(path('root-ca.crt'), 'mine');
  await assert.rejects(makeRoot(ceremony, { template: 'standard', subject: SUBJECTS.root, years: 25 }, root), /move it away/);
  assert.equal(readFileSync(path('root-ca.crt'), 'utf8'), 'mine');
});

test('steps out of order, and keys of another certificate, are refused', async () => {
  const { ceremony, root, signer } = newCeremony();
  await assert.rejects(makeSigner(ceremony, { template: 'standard', years: 10 }, root), /signer-ca\.csr is missing/);
  await makeRoot(ceremony, { template: 'standard', subject: SUBJECTS.root, years: 25 }, root);
  await requestSigner(ceremony, SUBJECTS.signer, signer);
  await assert.rejects(makeSigner(ceremony, { template: 'standard', years: 10 }, signer), /is not the one of/);
  await makeSigner(ceremony, { template: 'standard', years: 10 }, root);
  await assert.rejects(proveSigner(ceremony, CODE, root), /is not the one of/);
});

suite('an audit sees what was changed', () => {
  for (const step of STEPS) {
    test(`${step}: any other file in its place`, async () => {
      const [one, other] = [await wholeCeremony('standard'), await wholeCeremony('standard')];
      writeFileSync(one.path(MADE[step]), step === 'signer-ca-registration' ? '{}' : readFileSync(other.path(MADE[step])));
      assert.ok(faultsOf(one.ceremony.folder).length > 0);
    });
    test(`${step}: a record of another ceremony, whole and signed`, async () => {
      const [one, other] = [await wholeCeremony('standard'), await wholeCeremony('standard')];
      for (const name of [`${step}.record.json`, MADE[step]]) writeFileSync(one.path(name), readFileSync(other.path(name)));
      assert.ok(faultsOf(one.ceremony.folder).length > 0);
    });
    test(`${step}: any member of the record`, async () => {
      const { ceremony, path } = await wholeCeremony('standard');
      const record = readRecord(ceremony.folder, step);
      assert.ok(record !== undefined);
      const changes = [
        { time: '2020-01-01T00:00:00.000Z' },
        { parameters: { ...record.parameters, x: 1 } },
        { facts: {} },
        { from: [{ name: 'root-ca.crt', sha256: '0' }] },
        { made: { ...record.made, content: `${record.made.content}\n` } },
        { signature: undefined, signedBy: undefined, from: [] },
        { signature: Buffer.alloc(70, 1).toString('base64') },
      ];
      for (const change of changes) {
        writeFileSync(path(`${step}.record.json`), JSON.stringify({ ...record, ...change }));
        const isUnsignedRegistration = step === 'signer-ca-registration' && 'from' in change && 'signature' in change;
        assert.equal(faultsOf(ceremony.folder).length > 0, !isUnsignedRegistration, JSON.stringify(Object.keys(change)));
      }
    });
  }
  test('damage is an error, not silence', async () => {
    const { ceremony, path } = await wholeCeremony('standard');
    for (const text of ['', '{', '[]', 'null', '{"format":"thingkit-ceremony-record/1"}']) {
      writeFileSync(path('root-ca.record.json'), text);
      assert.throws(() => auditCeremony(ceremony.folder), CeremonyError);
    }
    assert.throws(() => auditCeremony(parent), /holds no record/);
  });
});

suite("certificates of the Zero Touch kit's scripts, byte for byte but for serial numbers and signatures", () => {
  const golden = (name: string) => {
    const block = onePemBlock(readFileSync(new URL(`golden/${name}`, import.meta.url), 'utf8'), CERTIFICATE_LABELS);
    assert.ok(block !== undefined);
    return parseCertificate(block);
  };
  const [root, signer, proof, device] = ['root-ca', 'signer-ca', 'signer-ca-verification', 'device'].map((name) =>
    golden(`${name}.crt`),
  ) as [ReturnType<typeof golden>, ReturnType<typeof golden>, ReturnType<typeof golden>, ReturnType<typeof golden>];
  /** What would be signed: nothing here has the golden keys, so the bytes are taken from the signer. */
  async function signedBytes(content: Parameters<typeof writeCertificateContent>[0], publicKey: Buffer): Promise<Buffer> {
    let seen: Buffer = Buffer.alloc(0);
    const refused = { publicKey, sign: ({ bytes }: { bytes: Buffer }) => keep(bytes) };
    const keep = (bytes: Buffer): Buffer => {
      seen = bytes;
      return Buffer.from('3006020101020101', 'hex');
    };
    await assert.rejects(writeCertificateContent(content, refused), SignatureError);
    return seen;
  }
  const serialOf = (signed: Buffer): Buffer => signed.subarray(11, 27);
  const wish = { template: 'zero-touch', now: root.notBefore + 400 } as const;

  test('root', async () => {
    const content = rootContent({ ...wish, subject: root.subject, years: 25 }, root.publicKey);
    assert.deepEqual(await signedBytes({ ...content, serialNumber: serialOf(root.signed) }, root.publicKey), root.signed);
  });
  test('signer', async () => {
    const content = signerContent({ ...wish, now: signer.notBefore, subject: signer.subject, years: 10 }, signer.publicKey, root);
    assert.deepEqual(await signedBytes({ ...content, serialNumber: serialOf(signer.signed) }, root.publicKey), signer.signed);
  });
  test('verification', async () => {
    const code = '086007a9-7747-41a1-a10a-83dd59b39024';
    const content = verificationContent(code, signer, proof.notBefore);
    assert.deepEqual(await signedBytes({ ...content, serialNumber: serialOf(proof.signed) }, signer.publicKey), proof.signed);
  });
  test('device, with its serial number', async () => {
    const { subject, publicKey } = device;
    const content = deviceContent({ template: 'zero-touch', subject, publicKey, now: device.notBefore + 1_234_567 }, signer);
    assert.deepEqual(await signedBytes(content, signer.publicKey), device.signed);
    assert.equal(createPublicKey({ key: publicKey, format: 'der', type: 'spki' }).asymmetricKeyType, 'ec');
  });
});
