/** What the data file knows of its installation: the id that all parts of the data folder carry. */
import { collection, type Store } from '../store/contract.ts';
import type { PartName } from './parts.ts';

export interface InstallationRecord {
  readonly name: 'installation';
  readonly id: string;
  /** `making`: the parts are being given the id; `whole`: all of them have it. */
  readonly state: 'making' | 'whole';
  /** Parts that were there when the making began: none of them may be missing when it goes on. */
  readonly had: readonly PartName[];
  /** Ids that parts may still carry while they are given the new one. */
  readonly replaces: readonly string[];
  /** Parts that the operator takes as they are, or does without. */
  readonly accepted: readonly PartName[];
}

export const installations = collection<InstallationRecord>('installation', (i) => [i.name], {}, { scope: 'server' });

export const readInstallation = (store: Store): Promise<InstallationRecord | undefined> =>
  store.read((tx) => tx.get(installations, ['installation']));

export const putInstallation = (store: Store, record: InstallationRecord): Promise<void> =>
  store.write((tx) => tx.put(installations, record));
