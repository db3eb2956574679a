/** Reserved parameters of just-in-time provisioning (fact 4.5), read from DER. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { distinguishedName } from '@thingkeep/x509/names.ts';
import { nameOf } from '@thingkeep/x509/testing/csrs.ts';
import { certificateParameters } from './certificate-parameters.ts';

test('each attribute that AWS names, by its type and not by how it prints', () => {
  const subject = distinguishedName(
    { type: 'C', value: 'DE' },
    { type: 'ST', value: 'Bavaria' },
    { type: 'O', value: 'Example, CN=forged' },
    { type: 'OU', value: 'first' },
    { type: 'OU', value: 'second' },
    [
      { type: 'CN', value: 'lamp ü', string: 'bmpString' },
      { type: 'serialNumber', value: '42' },
    ],
    { type: 'dnQualifier', value: 'q' },
    { type: 'L', value: 'not one of them' },
  );
  assert.deepEqual(certificateParameters(subject, 'ab'), {
    'AWS::IoT::Certificate::Country': 'DE',
    'AWS::IoT::Certificate::StateName': 'Bavaria',
    'AWS::IoT::Certificate::Organization': 'Example, CN=forged',
    'AWS::IoT::Certificate::OrganizationalUnit': 'first',
    'AWS::IoT::Certificate::CommonName': 'lamp ü',
    'AWS::IoT::Certificate::SerialNumber': '42',
    'AWS::IoT::Certificate::DistinguishedNameQualifier': 'q',
    'AWS::IoT::Certificate::Id': 'ab',
  });
});

test('what is no string is no parameter; a subject of nothing has the id', () => {
  const broken = nameOf(['2.5.4.3', 0x0c, Buffer.of(0xff)], ['2.5.4.10', 0x30, Buffer.alloc(0)]);
  assert.deepEqual(certificateParameters(broken, 'ab'), { 'AWS::IoT::Certificate::Id': 'ab' });
  assert.deepEqual(certificateParameters(nameOf(), 'ab'), { 'AWS::IoT::Certificate::Id': 'ab' });
});
