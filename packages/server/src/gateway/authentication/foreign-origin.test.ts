/** Which pages may open a WebSocket with nothing but a certificate that their reader's browser adds (RFC 6454). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isForeignOrigin } from './foreign-origin.ts';

const HOST = 'things.example:8443';
const foreign = (host: string, ...origin: string[]): boolean =>
  isForeignOrigin({
    method: 'GET',
    path: '/mqtt',
    query: '',
    headers: new Map([['host', [host]], ...(origin.length === 0 ? [] : [['origin', origin] as const])]),
  });

test('devices, which send no origin, and the own origin are at home', () => {
  assert.equal(foreign(HOST), false);
  for (const origin of ['https://things.example:8443', 'https://THINGS.example:8443/', 'wss://things.example:8443'])
    assert.equal(foreign(HOST, origin), false, origin);
  assert.equal(foreign('things.example', 'https://things.example'), false);
  assert.equal(foreign('things.example:443', 'https://things.example'), false);
});

test('everything else is foreign', () => {
  for (const origin of [
    'https://evil.example',
    'https://things.example',
    'https://things.example:8443.evil.example',
    'https://evil.example/things.example:8443',
    'https://things.example:8443@evil.example',
    'null',
    'file://',
    '',
    'things.example:8443',
  ])
    assert.equal(foreign(HOST, origin), true, origin);
  assert.equal(foreign(HOST, `https://${HOST}`, `https://${HOST}`), true);
});
