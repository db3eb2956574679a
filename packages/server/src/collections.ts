/** Every collection that the server keeps: what opens the data file derives the indexes of those that have changed. */
import { auditRecords } from './audit/store.ts';
import { DOMAIN_COLLECTIONS } from './domain-list.ts';
import { claimsMade } from './gateway/authentication/claim-stored.ts';
import { installations } from './installation/store.ts';
import { changePositions } from './store/durable-changes.ts';
import { claims } from './store/claims.ts';
import type { Collection } from './store/contract.ts';
import { dueRecords } from './store/due-records.ts';
import { marks } from './store/marks.ts';
import { recordCounts } from './store/record-counts.ts';
import { regions } from './store/regional.ts';

export const COLLECTIONS: readonly Collection<never>[] = [
  ...DOMAIN_COLLECTIONS,
  auditRecords,
  changePositions,
  claims,
  claimsMade,
  dueRecords,
  installations,
  marks,
  recordCounts,
  regions,
];
