/** Certification paths (RFC 5280 section 6), each with certificates of its own. */
import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { describe, test } from 'node:test';
import { der, explicit, implicit, oid, sequence, TAG } from './der.ts';
import { commonNameOnly, distinguishedName } from './names.ts';
import { authorityFault, pathFault, type PathFault, type PathRules } from './path.ts';
import { openPublicKey, readPublicKey } from './public-key.ts';
import { newEcKey, newRsaKey, nameOf, PRINTABLE_STRING } from './testing/csrs.ts';
import {
  alternativeNamesOf,
  basicConstraints,
  type ChainCertificate,
  chainCertificate,
  type ChainParts,
  CHAIN_NOW,
  directoryName,
  dnsName,
  extensionOf,
  keyUsageOf,
  nameConstraints,
  SIGNS_CERTIFICATES,
} from './testing/chains.ts';

/** As AWS IoT takes keys and algorithms: RSA of 2048 bits and up, no SHA-1. */
const RULES: PathRules = {
  now: CHAIN_NOW,
  openKey: (spki): KeyObject | undefined => {
    const facts = readPublicKey(spki);
    return facts.kind === 'rsa' && facts.modulusBits < 2048 ? undefined : openPublicKey(spki);
  },
  allowsAlgorithm: ({ hash }) => hash !== 'sha1',
};

const faultOf = (path: readonly ChainCertificate[], rules = RULES): PathFault | undefined =>
  pathFault(
    path.map((each) => each.der),
    rules,
  );
const leaf = (by: ChainCertificate, more: ChainParts = {}): ChainCertificate =>
  chainCertificate({ subject: 'device', by, extensions: [], ...more });
/** A path of so many certificates, the device's first. */
function chainOf(length: number, above: ChainCertificate = chainCertificate({ subject: 'root' })): ChainCertificate[] {
  const path = [above];
  for (let n = 2; n < length; n += 1) path.unshift(chainCertificate({ subject: `authority ${n}`, by: path[0] ?? above }));
  return [leaf(path[0] ?? above), ...path];
}

describe('a path that holds', () => {
  test('a device without extensions below the anchor, by EC and by RSA', () => {
    for (const key of [newEcKey(), newEcKey('P-384'), newRsaKey()]) {
      const root = chainCertificate({ key });
      assert.equal(faultOf([leaf(root), root]), undefined);
    }
  });

  test('the anchor is an intermediate whose own issuer is not at hand, with a path length of 0', () => {
    const root = chainCertificate({ subject: 'root' });
    const signer = chainCertificate({ subject: 'signer', by: root, extensions: [basicConstraints(true, 0)] });
    assert.equal(faultOf([leaf(signer), signer]), undefined);
    // And the same path up to the root.
    assert.equal(faultOf([leaf(signer), signer, root]), undefined);
  });

  test('a chain of 20; one of 21 is refused before anything of it is read', () => {
    assert.equal(faultOf(chainOf(20)), undefined);
    assert.deepEqual(faultOf(chainOf(21)), { fault: 'length', at: 21 });
    const rubbish = Array.from({ length: 5_000 }, () => Buffer.from('rubbish'));
    assert.deepEqual(pathFault(rubbish, { ...RULES, openKey: () => assert.fail('a key was read') }), {
      fault: 'length',
      at: 5_000,
    });
    assert.deepEqual(faultOf(chainOf(20).slice(0, 1)), { fault: 'length', at: 1 });
  });

  test('cross-signed: one key and name under either of two anchors', () => {
    const [first, second] = [chainCertificate({ subject: 'first' }), chainCertificate({ subject: 'second' })];
    const key = newEcKey();
    const [byFirst, bySecond] = [first, second].map((by) => chainCertificate({ subject: 'signer', by, key }));
    assert(byFirst !== undefined && bySecond !== undefined);
    const device = leaf(byFirst);
    assert.equal(faultOf([device, byFirst, first]), undefined);
    assert.equal(faultOf([device, bySecond, second]), undefined);
    assert.deepEqual(faultOf([device, byFirst, second]), { fault: 'issuer', at: 1 });
  });
});

describe('who has signed', () => {
  test('a name of other DER is another name, whatever it prints as', () => {
    const root = chainCertificate({ subject: nameOf(['2.5.4.3', TAG.utf8String, 'root']) });
    const printed = { key: root.key, subject: nameOf(['2.5.4.3', PRINTABLE_STRING, 'root']) };
    assert.deepEqual(faultOf([leaf({ ...root, ...printed }), root]), { fault: 'issuer', at: 0 });
    // CN=a, CN=b in one relative name, and CN="a, CN=b": alike in print.
    const joined = chainCertificate({ subject: 'a, CN=b' });
    const apart = { ...joined, subject: distinguishedName({ type: 'CN', value: 'a' }, { type: 'CN', value: 'b' }) };
    assert.deepEqual(faultOf([leaf(apart), joined]), { fault: 'issuer', at: 0 });
  });

  test('the same name with another key', () => {
    const [root, twin] = [chainCertificate({ subject: 'root' }), chainCertificate({ subject: 'root' })];
    assert.deepEqual(faultOf([leaf(twin), root]), { fault: 'signature', at: 0 });
    const rsa = chainCertificate({ subject: 'root', key: newRsaKey() });
    assert.deepEqual(faultOf([leaf(rsa), root]), { fault: 'signature', at: 0 });
  });

  test('one changed byte', () => {
    const root = chainCertificate();
    const device = leaf(root);
    const at = device.der.indexOf(Buffer.from('device'));
    const changed = Buffer.from(device.der);
    changed[at] = 0x44;
    assert.deepEqual(pathFault([changed, root.der], RULES), { fault: 'signature', at: 0 });
  });

  test('a signature by SHA-1, and one whose algorithm is another outside of what is signed', () => {
    const root = chainCertificate();
    const weak = leaf(root, { algorithm: sequence(oid('1.2.840.10045.4.1')), hash: 'sha1' });
    assert.deepEqual(faultOf([weak, root]), { fault: 'algorithm', at: 0 });
    const device = leaf(root).der;
    const outer = Buffer.from(device);
    const identifier = oid('1.2.840.10045.4.3.2');
    const last = outer.lastIndexOf(identifier);
    outer[last + identifier.length - 1] = 3;
    assert.deepEqual(pathFault([outer, root.der], RULES), { fault: 'algorithm', at: 0 });
    // How the anchor itself was signed is of no concern.
    const old = chainCertificate({ algorithm: sequence(oid('1.2.840.10045.4.1')), hash: 'sha1' });
    assert.equal(faultOf([leaf(old), old]), undefined);
  });

  test('RSA under 2048 bits, of the device and of the anchor', () => {
    const root = chainCertificate();
    assert.deepEqual(faultOf([leaf(root, { key: newRsaKey(1024) }), root]), { fault: 'key', at: 0 });
    const small = chainCertificate({ key: newRsaKey(1024) });
    assert.deepEqual(faultOf([leaf(small), small]), { fault: 'key', at: 1 });
  });

  test('a loop, of one certificate and of two', () => {
    const root = chainCertificate({ subject: 'root' });
    assert.deepEqual(faultOf([leaf(root), root, root]), { fault: 'loop', at: 2 });
    const [a, b] = [newEcKey(), newEcKey()];
    const [aName, bName] = [commonNameOnly('a'), commonNameOnly('b')];
    const first = chainCertificate({ subject: aName, key: a, by: { key: b, subject: bName } });
    const second = chainCertificate({ subject: bName, key: b, by: { key: a, subject: aName } });
    assert.deepEqual(faultOf([leaf(first), first, second, first, second]), { fault: 'loop', at: 3 });
  });
});

describe('what an issuer may', () => {
  test('no CA flag: none, FALSE, or no extensions at all', () => {
    for (const extensions of [[], [basicConstraints(false)], [SIGNS_CERTIFICATES]]) {
      const root = chainCertificate({ extensions });
      assert.deepEqual(faultOf([leaf(root), root]), { fault: 'authority', at: 1 });
      assert.equal(authorityFault(root.der, RULES), 'authority');
    }
  });

  test('a keyUsage without keyCertSign; without keyUsage it may sign', () => {
    const root = chainCertificate({ extensions: [basicConstraints(true), keyUsageOf(0x80, 7)] });
    assert.deepEqual(faultOf([leaf(root), root]), { fault: 'usage', at: 1 });
    assert.equal(authorityFault(root.der, RULES), 'usage');
    const plain = chainCertificate({ extensions: [basicConstraints(true)] });
    assert.equal(authorityFault(plain.der, RULES), undefined);
  });

  test('path length: certificates between, those that issue themselves not counted', () => {
    const root = chainCertificate({ subject: 'root', extensions: [basicConstraints(true, 0)] });
    assert.deepEqual(faultOf(chainOf(3, root)), { fault: 'path-length', at: 2 });
    const renewed = chainCertificate({ subject: 'root', by: root });
    assert.equal(faultOf([leaf(renewed), renewed, root]), undefined);
    const one = chainCertificate({ subject: 'one', extensions: [basicConstraints(true, 1)] });
    assert.equal(faultOf(chainOf(3, one)), undefined);
    assert.deepEqual(faultOf(chainOf(4, one)), { fault: 'path-length', at: 3 });
    // A path length in an intermediate counts for what is below it.
    const signer = chainCertificate({ subject: 'signer', by: one, extensions: [basicConstraints(true, 0)] });
    const below = chainCertificate({ subject: 'below', by: signer });
    assert.deepEqual(faultOf([leaf(below), below, signer]), { fault: 'path-length', at: 2 });
  });

  test('dates of every link; those of the first may be left to others', () => {
    const late = { notBefore: CHAIN_NOW + 1_000 };
    const over = { notAfter: CHAIN_NOW - 1_000 };
    for (const [dates, fault] of [[late, 'not-yet-valid'] as const, [over, 'expired'] as const]) {
      const root = chainCertificate(dates);
      assert.deepEqual(faultOf([leaf(root), root]), { fault, at: 1 });
      const good = chainCertificate();
      const device = leaf(good, dates);
      assert.deepEqual(faultOf([device, good]), { fault, at: 0 });
      assert.equal(faultOf([device, good], { ...RULES, ignoresDates: true }), undefined);
    }
    const ahead = chainCertificate(late);
    assert.equal(faultOf([leaf(ahead), ahead], { ...RULES, early: 1_000 }), undefined, 'clocks differ');
  });

  test('a critical extension that is unknown, one that is not critical, and two of one kind', () => {
    const odd = (critical: boolean): Buffer => extensionOf('1.3.6.1.4.1.99999.1', Buffer.of(TAG.null, 0), critical);
    const root = chainCertificate();
    assert.deepEqual(faultOf([leaf(root, { extensions: [odd(true)] }), root]), { fault: 'extension', at: 0 });
    assert.equal(faultOf([leaf(root, { extensions: [odd(false)] }), root]), undefined);
    const strict = chainCertificate({ extensions: [basicConstraints(true), odd(true)] });
    assert.deepEqual(faultOf([leaf(strict), strict]), { fault: 'extension', at: 1 });
    // requireExplicitPolicy: policies are not looked at here, so that it can't be met.
    const policies = extensionOf('2.5.29.36', sequence(der(implicit(0), Buffer.of(0))));
    const bound = chainCertificate({ extensions: [basicConstraints(true), policies] });
    assert.deepEqual(faultOf([leaf(bound), bound]), { fault: 'extension', at: 1 });
    const twice = chainCertificate({ extensions: [basicConstraints(false), basicConstraints(true)] });
    assert.deepEqual(faultOf([leaf(twice), twice]), { fault: 'form', at: 1 });
  });
});

describe('name constraints (section 4.2.1.10)', () => {
  const organization = (value: string, tag: number = TAG.utf8String): Buffer => nameOf(['2.5.4.10', tag, value]);
  const deviceOf = (by: ChainCertificate, name: string, tag?: number): ChainCertificate =>
    leaf(by, {
      subject: nameOf(['2.5.4.10', tag ?? TAG.utf8String, name], ['2.5.4.3', TAG.utf8String, 'device']),
    });
  const constrained = (extension: Buffer): ChainCertificate =>
    chainCertificate({ extensions: [basicConstraints(true), extension] });

  test('a subject inside and outside of what is permitted, and of what is excluded', () => {
    const only = constrained(nameConstraints([directoryName(organization('Example Inc'))]));
    assert.equal(faultOf([deviceOf(only, 'Example Inc'), only]), undefined);
    assert.equal(faultOf([deviceOf(only, 'example  INC', PRINTABLE_STRING), only]), undefined, 'section 7.1');
    assert.deepEqual(faultOf([deviceOf(only, 'Other Inc'), only]), { fault: 'name', at: 0 });
    const not = constrained(nameConstraints([], [directoryName(organization('Example Inc'))]));
    assert.equal(faultOf([deviceOf(not, 'Other Inc'), not]), undefined);
    assert.deepEqual(faultOf([deviceOf(not, 'EXAMPLE inc', PRINTABLE_STRING), not]), { fault: 'name', at: 0 });
  });

  test('host names, addresses, mailboxes and URIs', () => {
    const named = (by: ChainCertificate, ...names: readonly Buffer[]) => leaf(by, { extensions: [alternativeNamesOf(...names)] });
    const address = (...bytes: number[]): Buffer => der(implicit(7), Buffer.from(bytes));
    const text = (n: number, value: string): Buffer => der(implicit(n), Buffer.from(value));
    const cases: (readonly [base: Buffer, inside: readonly Buffer[], outside: readonly Buffer[]])[] = [
      [
        dnsName('Example.com'),
        [dnsName('example.com'), dnsName('a.EXAMPLE.com')],
        [dnsName('badexample.com'), dnsName('example.com.evil')],
      ],
      [dnsName('.example.com'), [dnsName('a.example.com')], [dnsName('example.com')]],
      [dnsName(''), [dnsName('anything')], []],
      [
        address(10, 1, 0, 0, 255, 255, 0, 0),
        [address(10, 1, 2, 3)],
        [address(10, 2, 0, 1), address(...Array<number>(16).fill(0))],
      ],
      [text(1, 'example.com'), [text(1, 'a@EXAMPLE.com')], [text(1, 'a@b.example.com')]],
      [text(1, '.example.com'), [text(1, 'a@b.example.com')], [text(1, 'a@example.com')]],
      [text(1, 'a@example.com'), [text(1, 'a@example.com')], [text(1, 'A@example.com')]],
      [text(6, '.example.com'), [text(6, 'https://a.example.com:1/x')], [text(6, 'https://example.com/'), text(6, 'urn:x')]],
    ];
    for (const [base, inside, outside] of cases) {
      const permits = constrained(nameConstraints([base]));
      const excludes = constrained(nameConstraints([], [base]));
      for (const name of inside) {
        assert.equal(faultOf([named(permits, name), permits]), undefined, name.toString('latin1'));
        assert.deepEqual(faultOf([named(excludes, name), excludes]), { fault: 'name', at: 0 });
      }
      for (const name of outside) {
        assert.deepEqual(faultOf([named(permits, name), permits]), { fault: 'name', at: 0 }, name.toString('latin1'));
        assert.equal(faultOf([named(excludes, name), excludes]), undefined);
      }
      // Names of other forms are not concerned.
      assert.equal(faultOf([leaf(permits), permits]), undefined);
    }
  });

  test('a form that is not known, a mailbox in the subject, a depth, and every issuer of the path', () => {
    const other = der(explicit(0), oid('1.2.3'), der(explicit(0), der(TAG.utf8String, Buffer.from('x'))));
    const only = constrained(nameConstraints([other]));
    assert.equal(faultOf([leaf(only), only]), undefined);
    assert.deepEqual(faultOf([leaf(only, { extensions: [alternativeNamesOf(other)] }), only]), { fault: 'name', at: 0 });
    const mail = constrained(nameConstraints([der(implicit(1), Buffer.from('example.com'))]));
    const subject = distinguishedName({ type: 'emailAddress', value: 'a@example.net' });
    assert.deepEqual(faultOf([leaf(mail, { subject }), mail]), { fault: 'name', at: 0 });
    const deep = extensionOf('2.5.29.30', sequence(der(explicit(0), sequence(dnsName('a'), der(implicit(1), Buffer.of(1))))));
    assert.deepEqual(faultOf([leaf(constrained(deep)), constrained(deep)]), { fault: 'form', at: 1 });
    const root = constrained(nameConstraints([dnsName('example.com')]));
    const signer = chainCertificate({ subject: 'signer', by: root });
    const device = leaf(signer, { extensions: [alternativeNamesOf(dnsName('example.net'))] });
    assert.deepEqual(faultOf([device, signer, root]), { fault: 'name', at: 0 });
  });
});
