/** The embedded objects, as core takes them. */
import type { DomainEntry } from '../domain.ts';
import type { EmbeddedObjects } from './embedded-objects.ts';
import { objectBuckets, objects as objectRecords } from './store.ts';

export const objectsDomain: DomainEntry<{ readonly objects: EmbeddedObjects }> = {
  collections: [objectBuckets, objectRecords],
  open: ({ objects }) => ({ name: 'objects', load: () => objects.load() }),
};
