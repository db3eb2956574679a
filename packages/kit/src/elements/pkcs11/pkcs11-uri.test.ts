/** pkcs11: URIs, with the examples of RFC 7512 section 3. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ElementError } from '../contract.ts';
import { refuses } from '../testing/contract-suite.ts';
import { defaultKeyOf, isObjectName } from './object-names.ts';
import { readPin } from './pin.ts';
import { parsePkcs11Uri } from './pkcs11-uri.ts';

test('all attributes are read, percent-decoded', () => {
  assert.deepEqual(parsePkcs11Uri('pkcs11:'), { choice: {}, library: {} });
  assert.deepEqual(parsePkcs11Uri('pkcs11:object=my-pubkey;type=public'), {
    choice: {},
    library: {},
    object: 'my-pubkey',
    type: 'public',
  });
  const whole =
    'pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;serial=00ff;slot-id=7;' +
    'slot-description=Slot%20A;slot-manufacturer=M;library-manufacturer=LM;library-description=Soft%20Token%20Library;' +
    'library-version=1.23;object=my-certificate;type=cert;id=%69%95%3E%5C%F4%BD%EC%91' +
    '?pin-source=file:/etc/token%20pin&module-name=mypkcs11&module-path=/opt/lib';
  assert.deepEqual(parsePkcs11Uri(whole), {
    choice: {
      token: 'The Software PKCS#11 Softtoken',
      manufacturer: 'Snake Oil, Inc.',
      serial: '00ff',
      model: '1.0',
      slotId: 7,
      slotDescription: 'Slot A',
      slotManufacturer: 'M',
    },
    library: { manufacturer: 'LM', description: 'Soft Token Library', version: '1.23' },
    object: 'my-certificate',
    id: Buffer.from('69953e5cf4bdec91', 'hex'),
    type: 'cert',
    moduleName: 'mypkcs11',
    modulePath: '/opt/lib',
    pinSource: 'file:/etc/token pin',
  });
  assert.equal(
    parsePkcs11Uri('pkcs11:token=A%20name%20with%20a%20substring%20%25%3B').choice.token,
    'A name with a substring %;',
  );
  assert.equal(parsePkcs11Uri('pkcs11:token=caf%C3%A9').choice.token, 'café');
});

test('what is none is refused, and a PIN with a hint where to put it', () => {
  const wrong = [
    ...['', 'pkcs12:', 'pkcs11:token', 'pkcs11:token=a;token=b', 'pkcs11:colour=red', 'pkcs11:pin-source=x', 'pkcs11:?token=x'],
    ...['pkcs11:token=%zz', 'pkcs11:token=%ff', 'pkcs11:token=a b', 'pkcs11:token=é', 'pkcs11:slot-id=x', 'pkcs11:slot-id=-1'],
    ...['pkcs11:id=', 'pkcs11:type=other', `pkcs11:object=${'x'.repeat(5000)}`],
  ];
  for (const uri of wrong) assert.throws(() => parsePkcs11Uri(uri), refuses('invalid'), uri);
  assert.throws(
    () => parsePkcs11Uri('pkcs11:token=a?pin-value=123456'),
    (error: unknown) => {
      assert.ok(error instanceof ElementError && error.code === 'invalid');
      assert.match(error.hint ?? '', /pin-source=file:/);
      assert.doesNotMatch(error.message, /123456/);
      return true;
    },
  );
});

test('keys are named by their label or id', () => {
  assert.equal(defaultKeyOf(parsePkcs11Uri('pkcs11:object=a%20key;id=%01')), 'a key');
  assert.equal(defaultKeyOf(parsePkcs11Uri('pkcs11:id=%01%fF')), 'id:01ff');
  assert.equal(defaultKeyOf(parsePkcs11Uri('pkcs11:')), '');
  for (const name of ['a', 'Private key for PIV', 'é', 'id:00', `id:${'ab'.repeat(64)}`])
    assert.equal(isObjectName(name), true, name);
  for (const name of ['', 'a/b', '../x', 'a\n', 'id:', 'id:0', 'id:0G', 'x'.repeat(129)])
    assert.equal(isObjectName(name), false, name);
});

test('a PIN is read from where the source says, and programs are not run', () => {
  assert.equal(readPin('env:PIN', { PIN: '1234' }), '1234');
  assert.throws(() => readPin('env:PIN', {}), refuses('not-found'));
  assert.throws(() => readPin('env:PIN', { PIN: '' }), refuses('invalid'));
  assert.throws(() => readPin('|/bin/cat pin'), refuses('not-supported'));
  assert.throws(() => readPin('file:/no/such/pin'), refuses('not-found'));
});
