/** Which kinds of events each account wants, in memory: asked at each change of the registry. */
import { type Place, placeKey } from '@thingkeep/wire/arn.ts';
import type { Changes } from '../store/changes.ts';
import type { Store } from '../store/contract.ts';
import { pages } from '../store/pages.ts';
import { type EventConfigurationRecord, eventConfigurations } from './store.ts';

export interface EnabledEventsOptions {
  readonly regions: () => Promise<readonly string[]>;
  readonly inRegion: (region: string) => Store;
  readonly changes: Changes;
}

const NONE: ReadonlySet<string> = new Set();

export class EnabledEvents {
  /** Accounts that want none are not in it. */
  readonly #byPlace = new Map<string, ReadonlySet<string>>();
  readonly #options: EnabledEventsOptions;
  readonly #end: () => void;

  constructor(options: EnabledEventsOptions) {
    this.#options = options;
    this.#end = options.changes.on(eventConfigurations, ({ place, after }) => this.#set(place, after));
  }

  /** Reads what is configured; to be awaited before the first change. */
  async load(): Promise<void> {
    const { regions, inRegion } = this.#options;
    for (const region of await regions())
      for await (const { items } of pages(inRegion(region), eventConfigurations, { prefix: [], skipDamaged: true }))
        for (const record of items) this.#set({ region, accountId: record.accountId }, record);
  }

  /** The kinds that the account wants. */
  of(place: Place): ReadonlySet<string> {
    return this.#byPlace.size === 0 ? NONE : (this.#byPlace.get(placeKey(place)) ?? NONE);
  }

  close(): void {
    this.#end();
  }

  #set(place: Place, record: EventConfigurationRecord | undefined): void {
    const kinds = Object.entries(record?.enabled ?? {}).flatMap(([kind, isEnabled]) => (isEnabled ? [kind] : []));
    if (kinds.length === 0) this.#byPlace.delete(placeKey(place));
    else this.#byPlace.set(placeKey(place), new Set(kinds));
  }
}
