/** Boards that are cut off at every step, and gone on with; trays of which some fail. */
import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { makeRoot, makeSigner, requestSigner } from '../ceremony/steps.ts';
import { ElementError, type SecureElement } from '../elements/contract.ts';
import { FileElement } from '../elements/file/file-element.ts';
import { signerIssuer } from './issuers.ts';
import { Journal, JournalError, readJournal } from './journal.ts';
import { bulkLines, manifestOf, microchipManifest } from './manifest.ts';
import { type BoardPlan, type CertificateIssuer, provisionBoard, type ProvisioningParts } from './provision-board.ts';
import { provisionTray } from './provision-tray.ts';
import { storageFor } from './storage-kinds.ts';

const parent = mkdtempSync(join(tmpdir(), 'thingkit-test-'));
after(() => rmSync(parent, { recursive: true }));
const clock = { now: () => Date.UTC(2026, 10, 30), monotonic: () => 0 };
const SIGNER = join(parent, 'signer-ca.crt');
const signerElement = new FileElement(join(parent, 'signer-ca.key'));

let issuer: CertificateIssuer;
before(async () => {
  const [root, signer] = [new FileElement(join(parent, 'root-ca.key')), signerElement].map((element) => ({
    element,
    key: element.defaultKey,
  }));
  assert.ok(root !== undefined && signer !== undefined);
  const ceremony = { folder: parent, clock };
  await makeRoot(ceremony, { template: 'standard', subject: '/CN=Root', years: 20 }, root);
  await requestSigner(ceremony, '/CN=Signer', signer);
  await makeSigner(ceremony, { template: 'standard', years: 10 }, root);
  const certificate = readFileSync(SIGNER, 'utf8');
  issuer = await signerIssuer({ ...signer, certificate, template: 'standard', subject: '/CN={thing}', clock });
});

/** Registered certificates by thing, as a service would have them. */
class Things {
  readonly certificates = new Map<string, Set<string>>();
  async register({ thingName, certificate }: { thingName: string; certificate: string }): Promise<string> {
    const found = this.certificates.get(thingName) ?? new Set();
    this.certificates.set(thingName, found.add(certificate));
    return new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase();
  }
}

class Cut extends Error {}

/** Calls `step` before and after each call of an object's methods: there the power may go. */
function cutAt<T extends object>(target: T, step: () => void): T {
  const stepping =
    (method: (...args: unknown[]) => unknown) =>
    (...args: unknown[]): unknown => {
      step();
      const result = method.apply(target, args);
      const then = <A>(answer: A): A => {
        step();
        return answer;
      };
      return result instanceof Promise ? result.then(then) : then(result);
    };
  const copy: Record<PropertyKey, unknown> = {};
  const prototype = Object.getPrototypeOf(target) as object;
  for (const name of [...Reflect.ownKeys(target), ...Reflect.ownKeys(prototype)]) {
    const value: unknown = Reflect.get(target, name, target);
    if (typeof value !== 'function') copy[name] = value;
    else if (typeof name === 'string') copy[name] = stepping(value as () => unknown);
    // V8 takes no bound function here.
    else copy[name] = (): unknown => value.apply(target);
  }
  return copy as T;
}

const planFor = (
  folder: string,
  open: (element: SecureElement) => SecureElement = (element) => element,
  board = 'lamp',
): BoardPlan => ({
  board,
  open: async () => open(new FileElement(join(folder, `${board}.key`))),
  thingName: () => board,
  keepsKey: false,
});

const partsFor = (journal: Journal, things: Things): ProvisioningParts => ({
  journal,
  clock,
  issuer,
  registry: things,
  storageFor: (element, key) => storageFor(element, key),
  timed: () => undefined,
});

suite('one board', () => {
  test('is cut off at every step in turn, and ends with one key, one certificate and one thing', async () => {
    let isThrough = false;
    let cuts = 0;
    for (let at = 1; !isThrough; at += 1) {
      const folder = mkdtempSync(join(parent, 'board-'));
      const things = new Things();
      let steps = 0;
      const step = (): void => {
        steps += 1;
        if (steps === at) throw new Cut();
      };
      const path = join(folder, 'journal.jsonl');
      {
        using journal = new Journal(path);
        const parts = { ...partsFor(cutAt(journal, step), things), registry: cutAt(things, step), issuer: cutAt(issuer, step) };
        await provisionBoard(
          parts,
          planFor(folder, (element) => cutAt(element, step)),
        ).then(
          () => (isThrough = true),
          (error: unknown) => assert.ok(error instanceof Cut, String(error)),
        );
      }
      if (!isThrough) cuts += 1;
      using journal = new Journal(path);
      const state = await provisionBoard(partsFor(journal, things), planFor(folder));
      assert.equal(state.phase, 'done');
      const certificate = new X509Certificate(readFileSync(join(folder, 'lamp.crt')));
      assert.ok(certificate.checkPrivateKey(createPrivateKey(readFileSync(join(folder, 'lamp.key')))));
      assert.ok(certificate.verify(new X509Certificate(readFileSync(SIGNER)).publicKey));
      assert.deepEqual(
        [...things.certificates].map(([name, found]) => [name, [...found]]),
        [['lamp', [state.certificate]]],
      );
      assert.equal(certificate.toString(), state.certificate);
    }
    assert.ok(cuts > 20, String(cuts));
  });

  test('goes on with the element that it began with, and with no other key', async () => {
    const folder = mkdtempSync(join(parent, 'board-'));
    using journal = new Journal(join(folder, 'journal.jsonl'));
    const parts = partsFor(journal, new Things());
    const failing = { ...parts, registry: { register: () => Promise.reject(new Cut()) } };
    await assert.rejects(provisionBoard(failing, planFor(folder)), Cut);
    await new FileElement(join(folder, 'lamp.key')).generateKey('lamp.key');
    await assert.rejects(provisionBoard(parts, planFor(folder)), (error: unknown) => {
      assert.ok(error instanceof ElementError && error.code === 'verification');
      assert.match(error.message, /another key/);
      return true;
    });
  });

  test('what is read back otherwise than it was written is never registered', async () => {
    const folder = mkdtempSync(join(parent, 'board-'));
    using journal = new Journal(join(folder, 'journal.jsonl'));
    const things = new Things();
    const other = await issuer.issue('other', {
      publicKey: await signerElement.publicKey('signer-ca.key'),
      sign: () => Buffer.alloc(0),
    });
    const parts: ProvisioningParts = {
      ...partsFor(journal, things),
      storageFor: (element, key) => ({ ...storageFor(element, key), read: async () => ({ device: other.device, chain: [] }) }),
    };
    await assert.rejects(provisionBoard(parts, planFor(folder)), /not the one that was written/);
    assert.equal(things.certificates.size, 0);
    assert.equal(journal.state('lamp')?.phase, 'certificate');
  });
});

suite('a tray', () => {
  test('reports the boards that fail and does the others; once more it does what was left', async () => {
    const folder = mkdtempSync(join(parent, 'tray-'));
    const things = new Things();
    using journal = new Journal(join(folder, 'journal.jsonl'));
    const boards = Array.from({ length: 30 }, (_, index) => planFor(folder, undefined, `lamp-${index}`));
    const broken = boards.map(
      (plan, index): BoardPlan => (index % 7 === 3 ? { ...plan, open: () => Promise.reject(new Cut()) } : plan),
    );
    const options = { parallel: 4, signal: new AbortController().signal, progress: () => undefined };
    const first = await provisionTray(partsFor(journal, things), broken, options);
    assert.deepEqual(first.failed.map(({ board }) => board).toSorted(), ['lamp-10', 'lamp-17', 'lamp-24', 'lamp-3']);
    const before = readFileSync(join(folder, 'journal.jsonl'), 'utf8');
    const second = await provisionTray(partsFor(journal, things), boards, options);
    assert.deepEqual([second.done.length, second.failed.length, second.left], [30, 0, 0]);
    assert.equal(things.certificates.size, 30);
    assert.ok([...things.certificates.values()].every((found) => found.size === 1));
    assert.ok(readFileSync(join(folder, 'journal.jsonl'), 'utf8').startsWith(before));
  });

  test('does not begin another board once it is interrupted', async () => {
    const folder = mkdtempSync(join(parent, 'tray-'));
    using journal = new Journal(join(folder, 'journal.jsonl'));
    const abort = new AbortController();
    const boards = Array.from({ length: 10 }, (_, index) => planFor(folder, undefined, `lamp-${index}`));
    const progress = (done: number): void => {
      if (done === 3) abort.abort();
    };
    const { done, failed, left } = await provisionTray(partsFor(journal, new Things()), boards, {
      parallel: 1,
      signal: abort.signal,
      progress,
    });
    assert.deepEqual([done.length, failed.length, left], [3, 0, 7]);
  });

  test('two boards with one element, or one thing, are refused before a key is made', async () => {
    const folder = mkdtempSync(join(parent, 'tray-'));
    using journal = new Journal(join(folder, 'journal.jsonl'));
    let made = 0;
    const chip = (name: string): BoardPlan => ({
      ...planFor(folder, undefined, name),
      open: async () => {
        const element = new FileElement(join(folder, `${name}.key`));
        element.identify = (async () => ({ kind: 'file', maker: 'x', model: 'x', serialNumber: '0123', revision: '' })) as never;
        const generate = element.generateKey.bind(element);
        element.generateKey = (key) => {
          made += 1;
          return generate(key);
        };
        return element;
      },
    });
    const parts = partsFor(journal, new Things());
    await provisionBoard(parts, chip('one'));
    await assert.rejects(provisionBoard(parts, chip('two')), JournalError);
    assert.equal(made, 1);
    await assert.rejects(provisionBoard(parts, { ...planFor(folder, undefined, 'three'), thingName: () => 'one' }), JournalError);
  });
});

suite('a journal', () => {
  test('that was cut off in its last line loses that line alone; any other damage is told', async () => {
    const folder = mkdtempSync(join(parent, 'journal-'));
    const path = join(folder, 'journal.jsonl');
    {
      using journal = new Journal(path);
      await provisionBoard(partsFor(journal, new Things()), planFor(folder));
    }
    const whole = readFileSync(path);
    const lines = whole.toString().split('\n').slice(0, -1);
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).phase),
      ['key', 'certificate', 'written', 'done'],
    );
    const last = whole.length - (lines.at(-1)?.length ?? 0) - 1;
    for (let length = last; length < whole.length; length += 1) {
      writeFileSync(path, whole.subarray(0, length));
      using journal = new Journal(path);
      assert.equal(journal.state('lamp')?.phase, 'written');
      assert.equal(readFileSync(path).length, last);
    }
    writeFileSync(path, whole);
    appendFileSync(path, '{"board":"lamp","phase":"done"}\n');
    assert.throws(() => readJournal(path), /line 5, is damaged/);
  });
});

suite('what is told of a tray', () => {
  test('our manifest, lines for bulk registration, and entries that are signed as Microchip signs them', async () => {
    const folder = mkdtempSync(join(parent, 'manifest-'));
    using journal = new Journal(join(folder, 'journal.jsonl'));
    const state = await provisionBoard(partsFor(journal, new Things()), planFor(folder));
    const all = [...journal.all(), { ...state, board: 'other', phase: 'written' as const }];
    const { devices } = manifestOf(all);
    assert.equal(devices.length, 1);
    assert.deepEqual(devices[0]?.certificates, [state.certificate, readFileSync(SIGNER, 'utf8')]);
    assert.deepEqual(JSON.parse(bulkLines(all)), { ThingName: 'lamp', SerialNumber: '', CertificatePem: state.certificate });
    const signer = {
      element: signerElement,
      key: 'signer-ca.key',
      certificate: readFileSync(SIGNER, 'utf8'),
      organization: 'Example Inc',
    };
    const [entry] = await microchipManifest(all, signer);
    assert.ok(entry !== undefined);
    const { publicKey } = new X509Certificate(readFileSync(SIGNER));
    const key = await crypto.subtle.importKey(
      'jwk',
      publicKey.export({ format: 'jwk' }),
      { name: 'ECDSA', namedCurve: 'P-256' },
      false,
      ['verify'],
    );
    const text = Buffer.from(`${entry.protected}.${entry.payload}`);
    assert.ok(
      await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, Buffer.from(entry.signature, 'base64url'), text),
    );
    const payload = JSON.parse(Buffer.from(entry.payload, 'base64url').toString());
    assert.deepEqual([payload.model, payload.manufacturer.organizationName], [state.model, state.maker]);
    const [jwk] = payload.publicKeySet.keys;
    const device = new X509Certificate(Buffer.from(jwk.x5c[0], 'base64'));
    assert.deepEqual(
      createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'jwk' }),
      device.publicKey.export({ format: 'jwk' }),
    );
    await assert.rejects(
      microchipManifest(all, { ...signer, certificate: state.certificate ?? '' }),
      /is not the one of the certificate/,
    );
  });
});
