/** Lists of objects whose keys have characters that XML 1.0 has not (S3 API reference, ListObjects: encoding-type). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectRecord } from '../store.ts';
import { type AskedList, objectList } from './answers.ts';

const KEYS = ['a\u0000b', 'a\u0001b', 'a\u0002b', 'a\tb', 'a\nb', 'a\rb', 'a\u001fb', 'a\uFFFEb', 'a<&>b', 'a b/c'];

const objects = KEYS.map((key): ObjectRecord => {
  const about = { bucket: 'b', accountId: '000000000000', file: 'f', size: 1, md5: 'm', lastModified: 0, headers: {} };
  return { ...about, key };
});

function listed(version: 1 | 2, more: Partial<AskedList> = {}): string {
  const asked = { bucket: 'b', prefix: 'a\u0001', delimiter: '', limit: 10, isUrlEncoded: false, after: undefined, ...more };
  const { body } = objectList(version, asked, { objects, prefixes: ['p\u0001/'], next: 'a\u0001' });
  return String(body);
}

const of = (name: string, document: string): string[] =>
  [...document.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, content = '']) => content);

test('a character that XML has not is a reference, as S3 writes it: no two keys look the same', () => {
  for (const version of [1, 2] as const) {
    const document = listed(version);
    assert.deepEqual(of('Key', document), [
      ...['a&#x0;b', 'a&#x1;b', 'a&#x2;b', 'a\tb', 'a\nb', 'a&#xD;b', 'a&#x1F;b', 'a&#xFFFE;b'],
      ...['a&lt;&amp;&gt;b', 'a b/c'],
    ]);
    assert.deepEqual(of('Prefix', document), ['a&#x1;', 'p&#x1;/']);
  }
  assert.deepEqual(of('NextMarker', listed(1)), ['a&#x1;']);
});

test('encoding-type=url has every key in a form that XML has', () => {
  for (const version of [1, 2] as const) {
    const document = listed(version, { isUrlEncoded: true });
    assert.deepEqual(of('Key', document).map(decodeURIComponent), KEYS);
    assert.deepEqual(of('Key', document).slice(0, 2), ['a%00b', 'a%01b']);
    assert.deepEqual(of('EncodingType', document), ['url']);
    assert.deepEqual(of('Prefix', document), ['a%01', 'p%01/']);
  }
  assert.deepEqual(of('NextMarker', listed(1, { isUrlEncoded: true })), ['a%01']);
});
