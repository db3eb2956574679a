/** Destinations in memory, for actions to ask without waiting. */
import { type Place, placeKey } from '@thingkeep/wire/arn.ts';
import type { Store } from '../store/contract.ts';
import { pages } from '../store/pages.ts';
import type { Destinations } from './actions/destinations.ts';
import { type DestinationRecord, destinationId, destinations } from './destination-store.ts';

/** Whether everything at `url` is below `base`: same origin, and a path that goes on at a slash or a query. */
function covers(base: URL, url: URL): boolean {
  if (base.origin !== url.origin) return false;
  const path = `${base.pathname}${base.search}`;
  const wanted = `${url.pathname}${url.search}`;
  return wanted === path || (wanted.startsWith(path) && (path.endsWith('/') || /^[/?]/.test(wanted.slice(path.length))));
}

/** Characters of a reason that errors repeat. */
const LONGEST_REASON = 500;

interface KnownDestination {
  readonly status: DestinationRecord['status'];
  readonly statusReason: string | undefined;
  /** Where its confirmation request went; undefined for a network. */
  readonly base: URL | undefined;
}

export class DestinationDirectory implements Destinations {
  readonly #trusted: readonly URL[];
  /** By account and region, and there by id. */
  readonly #places = new Map<string, Map<string, KnownDestination>>();

  /** `trusted`: URLs that the server's operator answers for; what is below them needs no confirmation. */
  constructor(trusted: readonly URL[]) {
    this.#trusted = trusted;
  }

  async load(regions: readonly string[], inRegion: (region: string) => Store): Promise<void> {
    for (const region of regions) {
      for await (const { items } of pages(inRegion(region), destinations, { skipDamaged: true, prefix: [] }))
        for (const record of items) this.put({ accountId: record.accountId, region }, record);
    }
  }

  put(place: Place, { id, status, statusReason, confirmationUrl }: DestinationRecord): void {
    const base = confirmationUrl === undefined ? undefined : (URL.parse(confirmationUrl) ?? undefined);
    const key = placeKey(place);
    const known = this.#places.get(key) ?? new Map<string, KnownDestination>();
    known.set(id, { status, statusReason, base });
    this.#places.set(key, known);
  }

  remove(place: Place, id: string): void {
    this.#places.get(placeKey(place))?.delete(id);
  }

  isConfirmed(place: Place, url: URL, confirmationUrl: string | undefined): boolean {
    return this.isTrusted(url) || this.#covering(place, url, confirmationUrl).some(({ status }) => status === 'ENABLED');
  }

  whyUnconfirmed(place: Place, url: URL, confirmationUrl: string | undefined): string {
    const words = `no destination that is ENABLED covers ${url.origin}${url.pathname}`;
    const [known] = this.#covering(place, url, confirmationUrl);
    if (known === undefined) return words;
    const { status, statusReason = '', base } = known;
    const reason = statusReason === '' ? '' : `: ${statusReason.slice(0, LONGEST_REASON)}`;
    return `${words}; the one of ${base?.origin}${base?.pathname} is ${status}${reason}`;
  }

  #covering(place: Place, url: URL, confirmationUrl: string | undefined): KnownDestination[] {
    const asked = confirmationUrl === undefined ? url : URL.parse(confirmationUrl);
    // What an action calls the URL of its confirmation has to be the beginning of where it sends.
    if (asked === null || !covers(asked, url)) return [];
    const known = [...(this.#places.get(placeKey(place))?.values() ?? [])];
    return known.filter(({ base }) => base !== undefined && covers(base, asked));
  }

  isTrusted(url: URL): boolean {
    return this.#trusted.some((base) => covers(base, url));
  }

  isEnabled(place: Place, arn: string): boolean {
    const id = destinationId(place, arn);
    return id !== undefined && this.#places.get(placeKey(place))?.get(id)?.status === 'ENABLED';
  }
}
