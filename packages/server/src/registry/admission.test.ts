/** CA certificates of one subject: however many accounts have some, each is read, and no more than the limit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openMemoryStore } from '../store/rerunning-store.fixture.ts';
import { findIssuers } from './admission.ts';
import { subjectHashOf } from './ca-certificates.ts';
import { caCertificates } from './store.ts';

const NAME = Buffer.from('the DER form of a name');
const accountOf = (n: number): string => String(n).padStart(12, '0');

/** How many CAs are found of each account where so many have so many; other names are beside them. */
async function found(accounts: number, each: number, limit: number, accountId?: string): Promise<readonly number[]> {
  await using store = await openMemoryStore();
  await store.write(async (tx) => {
    for (let account = 0; account < accounts; account += 1)
      for (let n = 0; n < each; n += 1)
        for (const name of [NAME, Buffer.from('another')])
          await tx.put(caCertificates, {
            ...{ accountId: accountOf(account), certificateId: `${subjectHashOf(name).slice(0, 8)}-${n}`, certificatePem: '' },
            ...{ subjectHash: subjectHashOf(name), status: 'ACTIVE', mode: 'DEFAULT', autoRegistration: true },
            ...{ createdAt: 0, lastModifiedAt: 0, version: 1, generationId: '', notBefore: 0, notAfter: 1 },
          });
  });
  const read = await store.read((tx) => findIssuers(tx, NAME, limit, accountId));
  assert.ok(read.length <= limit, `${read.length} were read`);
  assert.equal(new Set(read.map(({ accountId, certificateId }) => `${accountId}/${certificateId}`)).size, read.length);
  return Array.from({ length: accounts }, (_, n) => read.filter(({ accountId }) => accountId === accountOf(n)).length);
}

test('where there are few, all are found', async () => {
  assert.deepEqual(
    await found(10, 10, 100),
    Array.from({ length: 10 }, () => 10),
  );
  assert.deepEqual(await found(1, 3, 100), [3]);
  assert.deepEqual(await found(0, 0, 100), []);
});

test('where there are more than are read, each account has its share', async () => {
  assert.deepEqual(
    await found(11, 10, 100),
    Array.from({ length: 11 }, () => 9),
  );
  assert.deepEqual(
    await found(40, 10, 100),
    Array.from({ length: 40 }, () => 2),
  );
  assert.deepEqual(
    await found(100, 10, 100),
    Array.from({ length: 100 }, () => 1),
  );
});

test('one account is asked for alone', async () => {
  assert.deepEqual(await found(3, 10, 8, accountOf(1)), [0, 8, 0]);
  assert.deepEqual(await found(3, 10, 100, accountOf(2)), [0, 0, 10]);
});
