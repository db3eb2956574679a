/** Orders on disk: what comes back is what went in; what is none is not taken for one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as check, property, uint8Array } from 'fast-check';
import { decodeOrder, encodeOrder, type KeptOrder } from './orders.ts';

const order = (payload: Buffer, original: Buffer): KeptOrder => ({
  id: 'order-1',
  place: { accountId: '123456789012', region: 'eu-west-1' },
  ruleName: 'r',
  key: 'sqs',
  index: 2,
  parameters: { queueUrl: 'http://q/ü', useBase64: true },
  payload,
  isJson: true,
  message: { topic: 'a/b', payload: original, receivedAt: 5, traceId: 't', clientId: 'c', sourceIp: '::1' },
});

test('any bytes come back, those that are passed on as they are but once', () => {
  check(
    property(uint8Array({ maxLength: 300 }), uint8Array({ maxLength: 300 }), (made, original) => {
      const given = order(Buffer.from(made), Buffer.from(original));
      assert.deepEqual(decodeOrder(encodeOrder(given)), given);
    }),
  );
  const payload = Buffer.alloc(1000, 7);
  assert.ok(encodeOrder(order(payload, payload)).length < 1500);
});

test('bytes that are no order', () => {
  check(property(uint8Array({ maxLength: 100 }), (bytes) => assert.equal(decodeOrder(bytes), undefined)));
});
