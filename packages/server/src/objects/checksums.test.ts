/** Checksums by the check values of the catalogue of CRCs: each of the text 123456789. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHECKSUMS } from './checksums.ts';

const CHECKS: Readonly<Record<string, string>> = {
  crc32: 'cbf43926',
  crc32c: 'e3069283',
  crc64nvme: 'ae8b14860a799888',
  sha1: 'f7c3bc1d808e04732adf679965ccc34ca7ae3441',
  sha256: '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225',
};

test('check values, in one piece and in many', () => {
  for (const [name, wanted] of Object.entries(CHECKS))
    for (const pieces of [['123456789'], ['1', '', '2345', '6789']]) {
      const checksum = CHECKSUMS[name]?.();
      for (const piece of pieces) checksum?.update(Buffer.from(piece));
      assert.equal(Buffer.from(checksum?.digest() ?? '', 'base64').toString('hex'), wanted, name);
    }
});
