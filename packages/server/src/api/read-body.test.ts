/** Room for large bodies: for whom, how many, and how large. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkPartCount, LargeBodyLimiter, largestBody, MAX_BODY } from './read-body.ts';

test('an archive has room for 50 MB in base64, and no other request more than it needs', () => {
  const archive = (50 * 1024 * 1024 * 4) / 3;
  assert.ok(largestBody('lambda', '/2015-03-31/functions') > archive);
  assert.ok(largestBody('lambda', '/2015-03-31/functions/f/code') > archive);
  assert.ok(largestBody('lambda', '/2015-03-31/functions/f/invocations') < archive);
  assert.equal(largestBody('lambda', '/2015-03-31/functions/f/policy'), MAX_BODY);
  assert.ok(largestBody('logs', '/') > MAX_BODY);
  assert.equal(largestBody('iot', '/things/a'), MAX_BODY);
  assert.equal(largestBody(undefined, '/'), MAX_BODY);
});

test('there are four at a time, and two of one key', () => {
  const bodies = new LargeBodyLimiter();
  for (const key of ['a', 'a', 'b', 'c']) {
    if (key === 'b') assert.throws(() => bodies.take('a'), { code: 'TooManyRequestsException' });
    bodies.take(key);
  }
  assert.throws(() => bodies.take('d'), { code: 'TooManyRequestsException' });
  bodies.release('a');
  bodies.take('d');
});

test('a large document of small parts is refused before it is read', () => {
  const refused = { code: 'RequestEntityTooLargeException' };
  for (const part of ['\\n', '1,', '[]', '{}']) assert.throws(() => checkPartCount(Buffer.from(part.repeat(3_000_000))), refused);
  // An archive in base64, whose slashes some encoders escape.
  checkPartCount(Buffer.from(`{"ZipFile":"${`${'A'.repeat(63)}\\/`.repeat(1_000_000)}"}`));
  checkPartCount(Buffer.from('[1,'.repeat(1000)));
});
