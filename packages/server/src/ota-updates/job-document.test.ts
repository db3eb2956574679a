/** Documents of OTA updates, byte for byte (fact sheet 43). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { otaDocument } from './job-document.ts';

const object = { bucket: 'b', key: 'k' };
const signature = { signature: 'MEQ=', hashAlgorithm: 'SHA256', signatureAlgorithm: 'ECDSA', certificateName: 'P11:c' } as const;

test('over MQTT the document names the stream, and each file with its signature', () => {
  const text = otaDocument({
    protocols: ['MQTT'],
    stream: { streamId: 'AFR_OTA-1', isOwn: true },
    files: [
      { fileName: '/f.bin', fileType: 0, fileId: 0, size: 180_568, object, signature },
      { fileId: 1, size: 3, object },
    ],
  });
  assert.equal(
    text,
    '{"afr_ota":{"protocols":["MQTT"],"streamname":"AFR_OTA-1","files":[' +
      '{"filepath":"/f.bin","filesize":180568,"fileid":0,"certfile":"P11:c","fileType":0,"sig-sha256-ecdsa":"MEQ="},' +
      '{"filesize":3,"fileid":1}]}}',
  );
});

test('over HTTP it has URLs that are signed later; nothing of a key or a bucket ends their placeholder', () => {
  const hostile = { bucket: 'b"}', key: 'a b/}${aws:iot:x}?', version: 'v&' };
  const text = otaDocument({ protocols: ['HTTP'], files: [{ fileName: 'f', fileId: 0, size: 1, object: hostile }] });
  const url = 'https://s3.amazonaws.com/b%22%7D/a%20b/%7D%24%7Baws%3Aiot%3Ax%7D%3F?versionId=v%26';
  assert.equal(
    text,
    `{"afr_ota":{"protocols":["HTTP"],"files":[{"filepath":"f","filesize":1,"fileid":0,` +
      `"update_data_url":"\${aws:iot:s3-presigned-url-v2:${url}}","auth_scheme":"aws.s3.presigned"}]}}`,
  );
});

test('with both protocols it has both, and the key of a signature is of its algorithms', () => {
  const files = [
    { fileId: 7, size: 1, object, signature: { ...signature, hashAlgorithm: 'SHA1', signatureAlgorithm: 'RSA' } as const },
  ];
  const text = otaDocument({ protocols: ['HTTP', 'MQTT'], stream: { streamId: 's', isOwn: false }, files });
  const { afr_ota: told } = JSON.parse(text) as { afr_ota: { files: object[] } };
  assert.deepEqual(Object.keys(told), ['protocols', 'streamname', 'files']);
  const keys = ['filesize', 'fileid', 'certfile', 'update_data_url', 'auth_scheme', 'sig-sha1-rsa'];
  assert.deepEqual(Object.keys(told.files[0] ?? {}), keys);
});
