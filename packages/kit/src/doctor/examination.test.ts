/** The doctor against each thing that can stand between an element and a connection: it names that one, and what to do. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { createServer, type Server } from 'node:tls';
import { commonNameOnly } from '@thingkeep/x509/names.ts';
import { toPem } from '@thingkeep/x509/pem.ts';
import { authorityProfile, deviceProfile, serverProfile } from '@thingkeep/x509/profiles.ts';
import { keySigner } from '@thingkeep/x509/signing.ts';
import { writeCertificate } from '@thingkeep/x509/write-certificate.ts';
import { FileElement } from '../elements/file/file-element.ts';
import { examine, type ExaminationParts } from './examination.ts';
import type { Finding } from './findings.ts';

const DAY = 86_400_000;
const NOW = Date.now();
const folder = mkdtempSync(join(tmpdir(), 'thingkit-test-'));
after(() => rmSync(folder, { recursive: true }));

const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = (der: Buffer): string => toPem('CERTIFICATE', der);

async function newAuthority(name: string) {
  const keys = newKey();
  const signer = keySigner(keys.privateKey);
  const subject = commonNameOnly(name);
  return {
    subject,
    signer,
    pem: pem(await writeCertificate(authorityProfile(subject, signer.publicKey, NOW, NOW + 999 * DAY), subject, signer)),
  };
}

type ServerOptions = { readonly from?: number; readonly to?: number; readonly hostNames?: readonly string[] };

const servers: Server[] = [];
after(() => {
  for (const server of servers) server.close();
});

/** A TLS server with a certificate of an authority; `from` and `to` are its dates. */
async function newServer(
  authority: Awaited<ReturnType<typeof newAuthority>>,
  { from = NOW, to = NOW + 90 * DAY, hostNames = ['localhost'] }: ServerOptions = {},
) {
  const keys = newKey();
  const publicKey = keySigner(keys.privateKey).publicKey;
  const profile = serverProfile(commonNameOnly('localhost'), publicKey, from, to, { hostNames, rsa: false });
  const cert = pem(await writeCertificate(profile, authority.subject, authority.signer));
  const server = createServer({ cert, key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) }, (socket) => {
    socket.on('error', () => undefined);
    socket.resume();
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, 'localhost');
  await once(server, 'listening');
  servers.push(server);
  return { host: 'localhost', port: (server.address() as AddressInfo).port };
}

const statusOf = (findings: readonly Finding[], check: string): string =>
  findings.find((each) => each.check === check)?.status ?? 'absent';
const badOnes = (findings: readonly Finding[]): string[] =>
  findings.filter(({ status }) => status === 'bad').map(({ check }) => check);

suite('thingkit doctor', () => {
  const element = new FileElement(join(folder, 'device.key'));
  let authority: Awaited<ReturnType<typeof newAuthority>>;
  let parts: ExaminationParts;
  const certificateFor = async (publicKey: Buffer, now = NOW): Promise<string> =>
    pem(await writeCertificate(deviceProfile(commonNameOnly('lamp'), publicKey, now), authority.subject, authority.signer));
  before(async () => {
    authority = await newAuthority('Root');
    const certificate = await certificateFor(await element.generateKey('device.key'));
    const endpoint = await newServer(authority);
    parts = {
      element,
      key: 'device.key',
      certificate,
      endpoint,
      rootCa: authority.pem,
      now: NOW,
      connect: () => Promise.resolve(),
      reasons: undefined,
    };
  });

  test('finds nothing where nothing is wrong', async () => {
    const findings = await examine(parts);
    assert.deepEqual(
      findings.map(({ check, status }) => `${check} ${status}`),
      [
        ...['element good', 'locks good', 'key good', 'certificate good', 'dates good', 'name good', 'port good'],
        ...['tls good', 'clock good', 'connect good'],
      ],
    );
  });

  test('the key: missing, open to others', async () => {
    const missing = await examine({ ...parts, key: 'none.key' });
    assert.equal(statusOf(missing, 'key'), 'bad');
    assert.match(missing.find(({ check }) => check === 'key')?.hint ?? '', /--new-key/);
    chmodSync(join(folder, 'device.key'), 0o644);
    const open = await examine(parts);
    chmodSync(join(folder, 'device.key'), 0o600);
    assert.match(open.find(({ check }) => check === 'key')?.hint ?? '', /^chmod 600/);
  });

  test('the certificate: none, no PEM, of another key, ended, not begun, soon to end', async () => {
    for (const [certificate, check] of [
      [undefined, 'certificate'],
      ['rubbish', 'certificate'],
      [await certificateFor(await element.generateKey('other.key')), 'certificate'],
      [await certificateFor(await element.publicKey('device.key'), NOW + DAY), 'dates'],
    ] as const) {
      const findings = await examine({ ...parts, certificate });
      assert.deepEqual(badOnes(findings), [check]);
      assert.equal(statusOf(findings, 'connect'), 'skipped');
    }
    const late = await examine({ ...parts, now: Date.UTC(2050, 0, 1) });
    assert.deepEqual(badOnes(late), ['dates', 'clock']);
    assert.equal(statusOf(await examine({ ...parts, now: Date.UTC(2049, 11, 20) }), 'dates'), 'warning');
  });

  test('the way: no such name, a closed port, nothing that speaks TLS', async () => {
    const nowhere = await examine({ ...parts, endpoint: { host: 'nowhere.invalid', port: 8883 } });
    assert.deepEqual([statusOf(nowhere, 'name'), statusOf(nowhere, 'port')], ['bad', 'skipped']);
    const closed = createTcpServer().listen(0, 'localhost');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');
    const shut = await examine({ ...parts, endpoint: { host: 'localhost', port } });
    assert.deepEqual([statusOf(shut, 'port'), statusOf(shut, 'tls')], ['bad', 'skipped']);
    const deaf = createTcpServer((socket) => socket.on('error', () => undefined).end('SSH-2.0\r\n')).listen(0, 'localhost');
    await once(deaf, 'listening');
    const plain = await examine({ ...parts, endpoint: { host: 'localhost', port: (deaf.address() as AddressInfo).port } });
    deaf.close();
    assert.deepEqual(badOnes(plain), ['tls']);
  });

  test('the server: another root, another name, ended', async () => {
    const other = await newAuthority('Other');
    for (const [change, advice] of [
      [{ rootCa: other.pem }, /not the one of this server/],
      [{ endpoint: await newServer(authority, { hostNames: ['elsewhere.example.com'] }) }, /use the name/],
      [{ endpoint: await newServer(authority, { from: NOW - 99 * DAY, to: NOW - 9 * DAY }) }, /clock/],
    ] as const) {
      const findings = await examine({ ...parts, ...change });
      const found = findings.find(({ check }) => check === 'tls');
      assert.equal(found?.status, 'bad');
      assert.match(found?.hint ?? '', advice);
      assert.equal(statusOf(findings, 'connect'), 'skipped');
    }
  });

  test('the connection: what the server says, and why as its owner may know', async () => {
    const connect = () => Promise.reject(new Error('not authorized'));
    const [asked, unasked, deaf] = await Promise.all([
      examine({ ...parts, connect, reasons: async () => ['2026-11-30  authorize  no policy allows iot:Connect'] }),
      examine({ ...parts, connect }),
      examine({ ...parts, connect, reasons: () => Promise.reject(new Error('403')) }),
    ]);
    const hintOf = (findings: readonly Finding[]): string => findings.find(({ check }) => check === 'connect')?.hint ?? '';
    assert.deepEqual(badOnes(asked), ['connect']);
    assert.match(hintOf(asked), /no policy allows iot:Connect/);
    assert.match(hintOf(unasked), /thingkeep refusals/);
    assert.match(hintOf(deaf), /can't be asked: 403/);
    assert.equal(statusOf(await examine({ ...parts, connect: undefined }), 'connect'), 'skipped');
  });
});
