/** A board of the Zero Touch kit as the kit's programs see it: 64-byte reports, lines, JSON, and what the chip holds then. */
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { isSelfSigned, parseCsr } from '@thingkeep/x509/csr.ts';
import { keySigner } from '@thingkeep/x509/signing.ts';
import { writeCertificateContent } from '@thingkeep/x509/write-certificate.ts';
import { subjectName } from '../certificates/subject.ts';
import { readElementCertificates } from '../certificates/element-certificates.ts';
import { deviceContent, rootContent, signerContent } from '../ceremony/templates.ts';
import { AteccElement } from '../elements/atecc/atecc-element.ts';
import { configurationOn, writeConfiguration } from '../elements/atecc/configurations.ts';
import { pointOfSpki } from '../elements/p256.ts';
import { virtualBus } from '../buses/virtual-bus.ts';
import { newAteccState, type AteccState } from '../virtual-chips/atecc/silicon.ts';
import { VirtualAtecc } from '../virtual-chips/atecc/virtual-atecc.ts';
import { memoryOnly } from '../virtual-chips/memory-file.ts';
import { ZeroTouchBoard } from './board.ts';
import { serveBoard } from './board-server.ts';
import { packSettings, SETTINGS_LENGTH, unpackSettings } from './metadata.ts';
import { readSettings } from './slots.ts';

const folder = mkdtempSync(join(tmpdir(), 'thingkit-test-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'board.sock');

/** A host as hidapi would be: writes reports with an id, reads reports of 64 bytes to the line's end. */
async function openHost() {
  const socket = connect(path);
  await once(socket, 'connect');
  let received = Buffer.alloc(0);
  const line = async (text: string): Promise<string> => {
    const bytes = Buffer.from(`${text}\n`, 'latin1');
    for (let at = 0; at < bytes.length; at += 64) {
      const report = Buffer.alloc(65, 0x04);
      report[0] = 0;
      bytes.copy(report, 1, at, at + 64);
      socket.write(report);
    }
    while (received.length === 0 || received.length % 64 !== 0 || !received.includes('\n'))
      received = Buffer.concat([received, ((await once(socket, 'data')) as [Buffer])[0]]);
    const answer = received;
    received = Buffer.alloc(0);
    assert.match(answer.toString('latin1'), /^[0-9A-F]{2}\([^)]*\)\n\0*$/);
    return answer.toString('latin1').replace(/\n\0*$/, '');
  };
  let id = 0;
  const call = async (method: string, params: object = {}) => {
    id += 1;
    const answer = await line(`board:app(${Buffer.from(JSON.stringify({ method, params, id })).toString('hex')})`);
    const [, status = '', data = ''] = /^(..)\((.*)\)$/.exec(answer) ?? [];
    assert.equal(status, '00');
    assert.match(data, /^[0-9A-F]*$/, 'upper case: the kit reads nothing else');
    const reply = JSON.parse(Buffer.from(data, 'hex').toString());
    assert.equal(reply.id, id);
    return reply as { result: Record<string, string> | null; error: { error_code: number; error_msg: string } | null };
  };
  return { socket, line, call };
}

const NOW = Date.UTC(2026, 10, 20, 9, 19, 8);
let element: AteccElement;
let server: AsyncDisposable;
let host: Awaited<ReturnType<typeof openHost>>;
const said: string[] = [];
before(async () => {
  const memory = memoryOnly<AteccState>();
  memory.save(newAteccState('atecc608', '0123aabbccddeeffee'));
  element = new AteccElement(virtualBus(new VirtualAtecc(memory)), 'atecc608');
  await element.exclusively(async ({ link, zones, locks }) => {
    await writeConfiguration(link, zones, configurationOn('zero-touch', await zones.readConfig()));
    await locks.lockConfig('for-good');
    await locks.lockData('for-good');
  });
  await element.generateKey('0');
  server = await serveBoard(new ZeroTouchBoard(element, (line) => said.push(line)), path);
  host = await openHost();
});
after(async () => {
  host.socket.destroy();
  await server[Symbol.asyncDispose]();
});

/** Root and signer of the kit's form, and a device's certificate for a request's key. */
async function factory() {
  const [root, signer] = [generateKeyPairSync('ec', { namedCurve: 'P-256' }), generateKeyPairSync('ec', { namedCurve: 'P-256' })];
  const [rootKey, signerKey] = [keySigner(root.privateKey), keySigner(signer.privateKey)];
  const rootName = subjectName('/O=Example Inc/CN=Example Root CA');
  const wish = { template: 'zero-touch', years: 10 } as const;
  const subject = subjectName('/O=Example Inc/CN=Example Signer FFFF');
  await writeCertificateContent(rootContent({ ...wish, subject: rootName, now: NOW }, rootKey.publicKey), rootKey);
  const authority = { subject: rootName, publicKey: rootKey.publicKey };
  const signerCertificate = await writeCertificateContent(
    signerContent({ ...wish, subject, now: NOW }, signerKey.publicKey, authority),
    rootKey,
  );
  return {
    root: pointOfSpki(rootKey.publicKey),
    rootSpki: rootKey.publicKey,
    signer: signerCertificate,
    device: (csr: ReturnType<typeof parseCsr>) =>
      writeCertificateContent(
        deviceContent(
          { template: 'zero-touch', subject: csr.subject, publicKey: csr.publicKey, now: NOW },
          { subject, publicKey: signerKey.publicKey },
        ),
        signerKey,
      ),
  };
}

suite('a board of the Zero Touch kit', () => {
  test('listens for its owner alone', () => assert.equal(statSync(path).mode & 0o777, 0o600));

  test('init, genCsr, saveCredentials, setWifi, getStatus, resetKit: from a key to certificates in the chip', async () => {
    const { result: first } = await host.call('init', { version: '2.0.0' });
    assert.deepEqual(first?.deviceSn, '0123AABBCCDDEEFFEE');
    assert.equal(
      first?.devicePublicKey,
      pointOfSpki(await element.publicKey('0'))
        .toString('hex')
        .toUpperCase(),
    );
    assert.deepEqual((await host.call('getStatus')).result, {
      state_id: 4,
      status_code: 0,
      status_msg: 'The board waits for its credentials.',
    });

    const { result: made } = await host.call('genCsr');
    const csr = parseCsr(Buffer.from(made?.csr ?? '', 'hex'));
    assert.ok(isSelfSigned(csr, createPublicKey({ key: csr.publicKey, format: 'der', type: 'spki' })));
    assert.deepEqual(csr.publicKey, await element.publicKey('0'));

    const own = await factory();
    const device = await own.device(csr);
    const credentials = {
      hostName: 'iot.example.com',
      deviceCert: device.toString('hex'),
      signerCert: own.signer.toString('hex'),
      signerCaPublicKey: own.root.toString('hex'),
    };
    assert.deepEqual((await host.call('saveCredentials', credentials)).error, null);
    assert.deepEqual((await host.call('setWifi', { ssid: 'demo', psk: 'secret' })).error, null);
    const found = await readElementCertificates(element);
    assert.deepEqual([found.device, found.signer], [device, own.signer]);
    assert.ok(new X509Certificate(found.device).verify(new X509Certificate(found.signer).publicKey));
    assert.deepEqual(await readSettings(element), { wifi: { ssid: 'demo', password: 'secret' }, hostName: 'iot.example.com' });
    assert.equal((await host.call('getStatus')).result?.state_id, 5);
    assert.equal(
      said.some((line) => line.includes('secret')),
      false,
    );

    // Certificates of another factory, or of another board, are refused, and what was there stays.
    const other = await factory();
    for (const wrong of [
      { ...credentials, signerCert: other.signer.toString('hex') },
      { ...credentials, signerCaPublicKey: other.root.toString('hex') },
      { ...credentials, deviceCert: own.signer.toString('hex') },
      { ...credentials, deviceCert: `${device.toString('hex').slice(0, -2)}00` },
    ])
      assert.notEqual((await host.call('saveCredentials', wrong)).error, null);
    assert.deepEqual((await readElementCertificates(element)).device, device);

    await host.call('resetKit');
    assert.deepEqual(await readSettings(element), { wifi: undefined, hostName: undefined });
    const { result: anew } = await host.call('genKey');
    assert.notEqual(anew?.devicePublicKey, first?.devicePublicKey);
  });

  test('refuses what it does not know, in the form of the firmware, and goes on', async () => {
    const error = (code: number) => ({ error_code: code });
    for (const [method, params, code] of [
      ['fly', {}, 2],
      ['constructor', {}, 2],
      ['saveCredentials', {}, 3],
      ['saveCredentials', { hostName: 'x', deviceCert: 'zz', signerCert: '00', signerCaPublicKey: '00' }, 3],
      ['setWifi', { ssid: 'x'.repeat(33), psk: null }, 3],
      ['setWifi', { ssid: 'x', psk: 'y'.repeat(65) }, 3],
    ] as const) {
      const { result, error: found } = await host.call(method, params);
      assert.equal(result, null);
      assert.equal(found?.error_code, error(code).error_code, method);
      assert.ok((found?.error_msg.length ?? 99) <= 63);
    }
    assert.equal(await host.line('board:app(7b)'), '01()');
    assert.equal(await host.line('board:app(7)'), '03()');
    for (const line of ['', 'nonsense', 'x:y()', 'board:zzz()', '('.repeat(200), 'a'.repeat(7000)])
      assert.equal(await host.line(line), '03()');
    assert.equal(
      await host.line('board:version()'),
      `00(${Buffer.from('AWS IoT Zero Touch Demo v2.2.5').toString('hex').toUpperCase()})`,
    );
    for (const line of ['device:wake()', 'd:i()', 'ecc:sleep()', 'device:physical:select(00)'])
      assert.equal(await host.line(line), '00()');
    assert.equal((await host.call('init')).error, null);
  });
});

test('slot 8 keeps Wi-Fi and host as the firmware does', () => {
  const settings = { wifi: { ssid: 'demo', password: 'secret' }, hostName: 'h' };
  const packed = packSettings(settings);
  assert.equal(packed.length, SETTINGS_LENGTH);
  assert.equal(packed.length, 240);
  assert.equal(packed.subarray(0, 8).toString('hex'), 'b07209f304000000');
  assert.deepEqual(unpackSettings(packed), settings);
  for (const damaged of [Buffer.alloc(0), Buffer.alloc(416), Buffer.alloc(416, 0xff)])
    assert.deepEqual(unpackSettings(damaged), { wifi: undefined, hostName: undefined });
});
