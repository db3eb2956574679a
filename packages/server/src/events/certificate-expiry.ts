/**
 * Tells the owners of certificates and CA certificates that their end is near: 30 days, 7 days and 1 day before it, and when it
 * has come, on `$thingkeep/events/certificates/{certificateId}/expiring` and `.../expired`. The record says what was told, so
 * that each step is told once, also after a restart; after a `kill -9` the last page may be told twice.
 */
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import type { Messaging } from '../broker/messaging.ts';
import {
  type AnnouncedDays,
  type CaCertificateRecord,
  type CertificateRecord,
  caCertificates,
  certificates,
} from '../registry/store.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Collection, Key, Store } from '../store/contract.ts';

export interface CertificateExpiryOptions {
  readonly clock: Clock;
  readonly messaging: Pick<Messaging, 'publish' | 'stored' | 'hasReceivers'>;
  readonly regions: () => Promise<readonly string[]>;
  readonly inRegion: (region: string) => Store;
}

const DAY = 86_400_000;
/** Milliseconds between two looks, each of which writes twice that it was done. */
const LOOK_EVERY = 300_000;
/** Certificates that are told of in one turn. */
const PAGE = 100;

/** The steps, the nearest to the end first. */
const STEPS: readonly AnnouncedDays[] = [0, 1, 7, 30];

type Certificate = CertificateRecord | CaCertificateRecord;

/** The last step that a certificate has come to; undefined while its end is far. */
export const stepOf = (notAfter: number, now: number): AnnouncedDays | undefined =>
  STEPS.find((days) => notAfter - now <= days * DAY);

function isDue({ announcedDays, notAfter }: Certificate, now: number): boolean {
  const step = stepOf(notAfter, now);
  return step !== undefined && (announcedDays === undefined || step < announcedDays);
}

function eventOf({ accountId, region }: Place, type: 'cert' | 'cacert', record: Certificate, now: number) {
  const { certificateId, status, notAfter } = record;
  const daysBefore = stepOf(notAfter, now);
  const eventType = daysBefore === 0 ? 'expired' : 'expiring';
  return {
    topic: `$thingkeep/events/certificates/${certificateId}/${eventType}`,
    payload: {
      time: new Date(now).toISOString(),
      eventType,
      ...(daysBefore === 0 ? {} : { daysBefore }),
      certificateId,
      certificateArn: iotArn({ accountId, region }, type, certificateId),
      certificateType: type === 'cert' ? 'DEVICE' : 'CA',
      certificateStatus: status,
      notAfter: new Date(notAfter).toISOString(),
      accountId,
    },
  };
}

/** The task that tells of them, done by one server for all. */
export function certificateExpiry({ clock, messaging, regions, inRegion }: CertificateExpiryOptions) {
  async function announce(place: Place, type: 'cert' | 'cacert', record: Certificate, now: number): Promise<void> {
    const { topic, payload } = eventOf(place, type, record, now);
    if (!messaging.hasReceivers(place, topic)) return;
    await messaging.stored(messaging.publish(place, topic, Buffer.from(JSON.stringify(payload)), 1));
  }

  /** Notes what was told; a certificate that has changed meanwhile keeps its change, one that is gone or another is left. */
  const note = <T extends Certificate>(store: Store, of: Collection<T>, told: readonly T[], now: number): Promise<void> =>
    store.write(async (tx) => {
      const keys: Key[] = told.map(of.key);
      for (const [i, current] of (await tx.getMany(of, keys)).entries())
        if (current !== undefined && current.generationId === told[i]?.generationId)
          await tx.put(of, { ...current, announcedDays: stepOf(current.notAfter, now) });
    });

  /**
   * Tells of all that are due, and gives the first failure: a message that can't be stored for one owner keeps no other from
   * theirs.
   */
  async function announceRegion<T extends Certificate>(
    region: string,
    of: Collection<T>,
    type: 'cert' | 'cacert',
    signal: AbortSignal,
  ): Promise<PromiseRejectedResult | undefined> {
    const store = inRegion(region);
    let failure: PromiseRejectedResult | undefined;
    for (let after: string | undefined; ; ) {
      const now = clock.now();
      const from = after;
      const page = await store.read((tx) =>
        tx.scan(of, { index: 'byAnnouncement', prefix: [], limit: PAGE, skipDamaged: true, after: from }),
      );
      const due = page.items.filter((record) => isDue(record, now));
      const told = await Promise.allSettled(
        due.map((record) => announce({ accountId: record.accountId, region }, type, record, now)),
      );
      failure ??= told.find((result) => result.status === 'rejected');
      const noted = due.filter((_, i) => told[i]?.status === 'fulfilled');
      if (noted.length > 0) await note(store, of, noted, now);
      after = page.next;
      if (signal.aborted || due.length < page.items.length || after === undefined) return failure;
    }
  }

  return {
    name: 'certificate-expiry',
    every: LOOK_EVERY,
    async run(signal: AbortSignal): Promise<void> {
      let failure: PromiseRejectedResult | undefined;
      for (const region of await regions()) {
        const ofDevices = await announceRegion(region, certificates, 'cert', signal);
        const ofCas = await announceRegion(region, caCertificates, 'cacert', signal);
        failure ??= ofDevices ?? ofCas;
      }
      // What has failed is due still: the task is tried again.
      if (failure !== undefined) throw failure.reason;
    },
  };
}
