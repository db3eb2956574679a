/** What is kept of a certificate, and that a change always wins over it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PermissionChanges } from '../../../policies/permission-changes.ts';
import { DamagedRecordError } from '../../../store/damage.ts';
import { CertificateFactsCache } from './certificate-facts-cache.ts';

interface Facts {
  readonly load: number;
}

const workbench = () => {
  const changes = new PermissionChanges();
  const cache = new CertificateFactsCache<Facts>(changes);
  let loads = 0;
  const load = async (): Promise<Facts> => {
    loads += 1;
    return { load: loads };
  };
  return { changes, load, ask: (id: string, client = 'c', from = load) => cache.get(id, client, from), loads: () => loads };
};

test('asks once for a certificate and client id, until its permissions change', async () => {
  const { changes, ask, loads } = workbench();
  assert.deepEqual(await ask('a'), await ask('a'));
  await ask('b');
  assert.equal(loads(), 2);
  changes.publish(['a']);
  await ask('b');
  assert.equal(loads(), 2, 'a change of another certificate forgets nothing');
  await ask('a');
  assert.equal(loads(), 3);
});

test('a change that may concern every certificate forgets all', async () => {
  const { changes, ask, loads } = workbench();
  await ask('a');
  const damaged = (async function* () {
    yield [];
    throw new DamagedRecordError({ collection: 'policy-attachments', key: ['k'] });
  })();
  await changes.publishPages(damaged);
  await ask('a');
  assert.equal(loads(), 2);
});

test('an answer read while something changed is given, not kept', async () => {
  const { changes, ask, load, loads } = workbench();
  await ask('a', 'c', async () => {
    const facts = await load();
    changes.publish(['a']);
    return facts;
  });
  await ask('a');
  assert.equal(loads(), 2);
});

test('a certificate that is not registered, and a failure, are asked for anew', async () => {
  const { ask, loads } = workbench();
  assert.equal(await ask('a', 'c', (async () => undefined) as unknown as () => Promise<Facts>), undefined);
  await assert.rejects(
    ask('a', 'c', () => Promise.reject(new RangeError('no'))),
    RangeError,
  );
  await ask('a');
  assert.equal(loads(), 1);
});

test('a certificate with many client ids, and many certificates, stay bounded', async () => {
  const { ask, loads } = workbench();
  for (let i = 0; i < 5; i += 1) await ask('a', `c${i}`);
  await ask('a', 'c4');
  assert.equal(loads(), 5);
  await ask('a', 'c0');
  assert.equal(loads(), 6, 'the oldest client id was forgotten');
  for (let i = 0; i < 10_000; i += 1) await ask(`other${i}`);
  await ask('a', 'c0');
  assert.equal(loads(), 10_007);
});

test('unknown certificates push no known one out of the cache', async () => {
  const cache = new CertificateFactsCache<{ readonly n: number }>(new PermissionChanges());
  let loads = 0;
  const known = () => cache.get('known', '/c', async () => ({ n: ++loads }));
  await known();
  for (let i = 0; i < 10_000; i += 1) await cache.get(`stranger-${i}`, '/c', async () => undefined);
  await known();
  assert.equal(loads, 1);
});

test('changes of others do not void what is cached of a certificate, however many there were', async () => {
  const changes = new PermissionChanges();
  const cache = new CertificateFactsCache<{ n: number }>(changes);
  for (let i = 0; i < 10_000; i += 1) changes.publish([`fleet-${i}`]);
  changes.publish(['one-more']);
  let loads = 0;
  const steady = () => cache.get('steady', '/c', async () => ({ n: ++loads }));
  await steady();
  for (let i = 0; i < 5; i += 1) {
    changes.publish([`new-${i}`]);
    await steady();
  }
  assert.equal(loads, 1);
});
