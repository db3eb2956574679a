import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byRegion } from '../store/regional.ts';
import { openMemoryStore } from '../store/rerunning-store.fixture.ts';
import { DAY, ExpiringCounts, listExpiring } from './expiring-certificates.ts';
import { type CertificateRecord, caCertificates, certificates } from './store.ts';

const NOW = Date.UTC(2026, 10, 20);
const ACCOUNTS = ['000000000000', '111111111111', '222222222222'] as const;

const record = (accountId: string, day: number, status: CertificateRecord['status'] = 'ACTIVE') => {
  const certificateId = `${accountId}${day}`.replace('.', '').padEnd(64, 'f');
  const about = { accountId, certificateId, certificatePem: '', generationId: '', mode: 'DEFAULT' as const };
  return { ...about, status, createdAt: NOW, lastModifiedAt: NOW, version: 1, notBefore: NOW, notAfter: NOW + day * DAY };
};

/** Certificates of three accounts in two regions, some of them over, far or revoked, and a CA certificate. */
async function openPlaces() {
  const store = await openMemoryStore();
  const inRegion = byRegion(store);
  for (const [i, region] of ['us-east-1', 'eu-west-1'].entries())
    await inRegion(region).write(async (tx) => {
      for (const accountId of ACCOUNTS)
        for (const day of [-5, 0.5, 3 + i, 20, 60]) await tx.put(certificates, record(accountId, day));
      await tx.put(certificates, record('000000000000', 9, 'REVOKED'));
      const ca = { ...record('111111111111', 6), status: 'ACTIVE' as const, autoRegistration: false, subjectHash: '' };
      if (i === 0) await tx.put(caCertificates, ca);
    });
  let now = NOW;
  const clock = { now: () => now };
  return {
    store,
    places: { regions: async () => ['us-east-1', 'eu-west-1'], inRegion, clock },
    moveTo: (day: number) => {
      now = NOW + day * DAY;
    },
  };
}

const days = (listed: Awaited<ReturnType<typeof listExpiring>>): unknown[] =>
  (listed?.certificates ?? []).map(({ region, type, accountId, notAfter }) =>
    [region, type, accountId.slice(0, 1), (Date.parse(notAfter) - NOW) / DAY].join(' '),
  );

test('certificates of one account, by region, type and end; none that is over, far or revoked', async () => {
  const { store, places } = await openPlaces();
  await using _ = store;
  assert.deepEqual(days(await listExpiring(places, { accountId: '111111111111', withinDays: 30, limit: 100 })), [
    ...['eu-west-1 device 1 0.5', 'eu-west-1 device 1 4', 'eu-west-1 device 1 20'],
    ...['us-east-1 device 1 0.5', 'us-east-1 device 1 3', 'us-east-1 device 1 20', 'us-east-1 ca 1 6'],
  ]);
  assert.deepEqual(days(await listExpiring(places, { accountId: '333333333333', withinDays: 30, limit: 100 })), []);
});

test('pages of all accounts join to the whole list, whatever their size', async () => {
  const { store, places } = await openPlaces();
  await using _ = store;
  const whole = days(await listExpiring(places, { withinDays: 30, limit: 1000 }));
  assert.equal(whole.length, 19);
  for (const limit of [1, 2, 3, 7]) {
    const joined: unknown[] = [];
    let after: string | undefined;
    do {
      const page = await listExpiring(places, { withinDays: 30, limit, after });
      joined.push(...days(page));
      after = page?.next;
    } while (after !== undefined);
    assert.deepEqual(joined, whole);
  }
  for (const after of ['x', 'us-east-1/device/1/2/3', "us-east-1/device/000000000000/1/'"])
    assert.equal(await listExpiring(places, { withinDays: 30, limit: 5, after }), undefined);
});

test('a token of one account shows another nothing', async () => {
  const { store, places } = await openPlaces();
  await using _ = store;
  const page = await listExpiring(places, { accountId: '000000000000', withinDays: 30, limit: 1 });
  const other = await listExpiring(places, { accountId: '111111111111', withinDays: 30, limit: 100, after: page?.next });
  assert.deepEqual([...new Set(other?.certificates.map(({ accountId }) => accountId))], ['111111111111']);
});

test('counts over all accounts, which hold for ten minutes', async () => {
  const { store, places, moveTo } = await openPlaces();
  await using _ = store;
  const counts = new ExpiringCounts(places);
  const read = async () => (await counts.read()).map(({ type, days: within, count }) => [type, within, count]);
  const first = [
    ...[
      ['device', 1, 6],
      ['device', 7, 12],
      ['device', 30, 18],
    ],
    ...[
      ['ca', 1, 0],
      ['ca', 7, 1],
      ['ca', 30, 1],
    ],
  ];
  assert.deepEqual(await read(), first);
  await places
    .inRegion('us-east-1')
    .write((tx) => tx.delete(caCertificates, ['111111111111', record('111111111111', 6).certificateId]));
  moveTo(0.001);
  assert.deepEqual(await read(), first);
  moveTo(1);
  assert.deepEqual(await read(), [
    ...[
      ['device', 1, 0],
      ['device', 7, 6],
      ['device', 30, 12],
    ],
    ...[
      ['ca', 1, 0],
      ['ca', 7, 0],
      ['ca', 30, 0],
    ],
  ]);
});
