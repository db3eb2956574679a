/** Marks of an installation: things that are done once in the life of a data file. */
import { collection, type Store } from './contract.ts';

interface MarkRecord {
  readonly name: string;
}

export const marks = collection<MarkRecord>('marks', (m) => [m.name]);

export const isMarked = (store: Store, name: string): Promise<boolean> =>
  store.read(async (tx) => (await tx.get(marks, [name])) !== undefined);

/** Sets the mark, unless it is set. */
export async function mark(store: Store, name: string): Promise<void> {
  if (!(await isMarked(store, name))) await store.write((tx) => tx.put(marks, { name }));
}

/** Commits a record without content. Fails where the store takes no writes. */
export const tryWrite = (store: Store): Promise<void> => store.write((tx) => tx.put(marks, { name: 'able' }));
