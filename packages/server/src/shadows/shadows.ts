/**
 * The shadows of things: get, update, delete and list, whoever asks and by whatever protocol. Updates of one thing follow
 * one another, and what is answered is on disk. A thing need not be registered to have a shadow, and its shadows stay when
 * it is deleted (page device-shadow-data-flow).
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Clock } from '../runtime/clock.ts';
import { TurnBudget } from '../runtime/turn-budget.ts';
import { PACKAGE_SHADOW } from '../software-packages/package-reports.ts';
import type { ReadTransaction, Store, WriteTransaction } from '../store/contract.ts';
import {
  acceptedDelete,
  acceptedGet,
  acceptedUpdate,
  deltaMessage,
  documentsMessage,
  type MessageFrame,
  type ShadowDocument,
} from './answers.ts';
import { type PlainShadows, readPlainShadows } from './indexed-shadows.ts';
import { diskLow, noShadow, tooLarge, tooManyRequests, tooManyShadows, versionConflict } from './rejections.ts';
import { ShadowFigures } from './shadow-figures.ts';
import { deltaOf, updatedState } from './shadow-state.ts';
import { type RequestRates, ShadowRates } from './shadow-rates.ts';
import { ShadowTurns } from './shadow-turns.ts';
import { MAX_DOCUMENT_BYTES, readUpdate, type UpdateRequest } from './shadow-request.ts';
import { countShadow, documentBytes, type ShadowRecord, shadows, stateMembers, stateOf, valuesOf } from './store.ts';

/** Milliseconds for which the version of a deleted shadow is known: one of the same name goes on from it. */
export const VERSION_KEPT = 48 * 3_600_000;

/** Values of answers to gets that are written in a turn of the event loop. */
const VALUES_PER_TURN = 4_000;

/** Pages of the store that a list reads at most: a device can leave any number of deleted shadows in its way. */
const READS_OF_LIST = 100;

/** A shadow's address; the classic shadow has no name. */
export interface ShadowAddress {
  readonly place: Place;
  readonly thingName: string;
  readonly shadowName: string | undefined;
}

/** What an update publishes: the answer, and messages on the topics of the same names. */
export interface UpdateMessages {
  readonly accepted: string;
  /** Absent where nothing differs. It and the documents are written when somebody is there to get them. */
  readonly delta?: (() => string) | undefined;
  readonly documents: () => string;
}

export interface ShadowsDeps {
  readonly clock: Clock;
  readonly inRegion: (region: string) => Store;
  /** While it is low no shadow is made, and none grows. */
  readonly disk?: { readonly low: boolean } | undefined;
  /** How many shadows an account and each of its things may have; any number when absent. */
  readonly limitsOf?: ((accountId: string) => ShadowLimits) | undefined;
  /** Rates of an account; none when absent. */
  readonly ratesOf?: ((accountId: string) => RequestRates) | undefined;
}

/** Shadows that were deleted in the last 48 hours are among them. */
export interface ShadowLimits {
  readonly shadows: number;
  readonly shadowsOfThing: number;
}

/** Hears that a shadow of a thing was changed; it must not fail. */
export type ShadowListener = (place: Place, thingName: string) => void;

const keyOf = ({ place, thingName, shadowName = '' }: ShadowAddress) => [place.accountId, thingName, shadowName] as const;

/** As the rejection names it: the classic shadow by its thing's name (seen at AWS). */
const nameOf = ({ thingName, shadowName }: ShadowAddress): string => shadowName ?? thingName;

export class Shadows {
  readonly #deps: ShadowsDeps;
  readonly #rates: ShadowRates;
  readonly #turns = new ShadowTurns();
  /** Values of answers to gets that are written in a turn. */
  readonly #answers = new TurnBudget(VALUES_PER_TURN);
  readonly figures = new ShadowFigures();
  readonly #listeners: ShadowListener[] = [];

  constructor(deps: ShadowsDeps) {
    this.#deps = deps;
    this.#rates = new ShadowRates(deps.clock, deps.ratesOf ?? (() => ({})));
  }

  onChange(listener: ShadowListener): void {
    this.#listeners.push(listener);
  }

  /** A thing's classic shadow, and those of these names, as plain values. */
  shadows(place: Place, thingName: string, names: readonly string[]): Promise<PlainShadows> {
    return readPlainShadows(this.#deps.inRegion(place.region), place, thingName, names);
  }

  get(address: ShadowAddress, clientToken?: string): Promise<string> {
    return this.figures.counted('get', this.#get(address, clientToken));
  }

  /** `publish` gets what the updates of a shadow publish in the order of their versions. */
  update(address: ShadowAddress, payload: Uint8Array, publish?: (messages: UpdateMessages) => void): Promise<UpdateMessages> {
    return this.figures.counted('update', this.#update(address, payload, publish));
  }

  /** Gives the answer; `publish` gets it in the order of the shadow's changes. */
  delete(address: ShadowAddress, clientToken?: string, publish?: (accepted: string) => void): Promise<string> {
    return this.figures.counted('delete', this.#delete(address, clientToken, publish));
  }

  async #get(address: ShadowAddress, clientToken?: string): Promise<string> {
    this.#admit(address);
    const record = await this.#storeOf(address).read((tx) => this.#live(tx, address));
    await this.#answers.take(valuesOf(record));
    return acceptedGet(stateOf(record), frameOf(address, record.version, this.#seconds(), clientToken));
  }

  async #update(
    address: ShadowAddress,
    payload: Uint8Array,
    publish: ((messages: UpdateMessages) => void) | undefined,
  ): Promise<UpdateMessages> {
    this.#admit(address);
    const time = this.#seconds();
    const request = readUpdate(payload, time, address.shadowName);
    const messages = await this.#turns.run(
      keyOf(address).join('/'),
      () => this.#write(address, (tx) => this.#apply(tx, address, request, time)),
      () => this.#storeOf(address).write((tx) => this.#create(tx, address, request, time)),
    );
    publish?.(messages);
    this.#tell(address);
    return messages;
  }

  async #delete(
    address: ShadowAddress,
    clientToken: string | undefined,
    publish: ((accepted: string) => void) | undefined,
  ): Promise<string> {
    this.#admit(address);
    const { accountId } = address.place;
    const remove = async (tx: WriteTransaction, live: ShadowRecord): Promise<number> => {
      const { thingName, shadowName, version } = live;
      await tx.put(shadows, { accountId, thingName, shadowName, version, deletedAt: this.#deps.clock.now() });
      return version;
    };
    const version = await this.#turns.run(
      keyOf(address).join('/'),
      () =>
        this.#write(address, async (tx) => {
          const found = await this.#find(tx, address);
          return found && remove(tx, found);
        }),
      // One that was asked for before may have been made meanwhile.
      () => this.#write(address, async (tx) => remove(tx, await this.#live(tx, address))),
    );
    const accepted = acceptedDelete(frameOf(address, version, this.#seconds(), clientToken));
    publish?.(accepted);
    this.#tell(address);
    return accepted;
  }

  /**
   * Names of a thing's named shadows, in their order; a thing that is not known has none. Behind many that were deleted
   * lately it gives fewer than asked for, and where to go on.
   */
  async list(
    { place, thingName }: Pick<ShadowAddress, 'place' | 'thingName'>,
    page: { readonly limit: number; readonly after: string | undefined },
  ): Promise<{ readonly names: string[]; readonly next: string | undefined }> {
    const prefix = [place.accountId, thingName];
    const names: string[] = [];
    let { after } = page;
    let reads = 0;
    do {
      reads += 1;
      const found = await this.#deps.inRegion(place.region).read((tx) =>
        tx.scan(shadows, {
          prefix,
          limit: page.limit - names.length,
          skipDamaged: true,
          ...(after === undefined ? {} : { after }),
        }),
      );
      for (const { shadowName, deletedAt } of found.items)
        if (shadowName !== '' && deletedAt === undefined) names.push(shadowName);
      after = found.next;
    } while (after !== undefined && names.length < page.limit && reads < READS_OF_LIST);
    return { names, next: after };
  }

  #admit({ place, thingName }: ShadowAddress): void {
    if (!this.#rates.take(place, thingName)) throw tooManyRequests();
  }

  #tell({ place, thingName }: ShadowAddress): void {
    for (const listener of this.#listeners) listener(place, thingName);
  }

  #storeOf({ place }: ShadowAddress): Store {
    return this.#deps.inRegion(place.region);
  }

  #write<R>(address: ShadowAddress, work: (tx: WriteTransaction) => Promise<R>): Promise<R> {
    const { place, thingName } = address;
    return this.#storeOf(address).write(work, { of: `shadow/${place.region}/${place.accountId}/${thingName}` });
  }

  #seconds(): number {
    return Math.floor(this.#deps.clock.now() / 1000);
  }

  /** The shadow's record, where it is there. */
  async #find(tx: ReadTransaction, address: ShadowAddress): Promise<ShadowRecord | undefined> {
    const record = await tx.get(shadows, keyOf(address));
    return record?.deletedAt === undefined ? record : undefined;
  }

  async #live(tx: ReadTransaction, address: ShadowAddress): Promise<ShadowRecord> {
    const record = await this.#find(tx, address);
    if (record === undefined) throw noShadow(nameOf(address));
    return record;
  }

  /** Makes a shadow, or changes the one that was made meanwhile. It counts for its account, so it is in the order of all writes. */
  async #create(tx: WriteTransaction, address: ShadowAddress, request: UpdateRequest, time: number): Promise<UpdateMessages> {
    const { place, thingName } = address;
    const found = await tx.get(shadows, keyOf(address));
    if (found !== undefined) return this.#change(tx, address, request, time, found);
    const messages = await this.#change(tx, address, request, time, undefined);
    const limits = this.#deps.limitsOf?.(place.accountId);
    const { ofThing, all } = await countShadow(tx, place.accountId, thingName, 1);
    if (limits !== undefined && ofThing > limits.shadowsOfThing) throw tooManyShadows('thing', limits.shadowsOfThing);
    if (limits !== undefined && all > limits.shadows) throw tooManyShadows('account', limits.shadows);
    return messages;
  }

  /** Changes a shadow; undefined where there is none. */
  async #apply(
    tx: WriteTransaction,
    address: ShadowAddress,
    request: UpdateRequest,
    time: number,
  ): Promise<UpdateMessages | undefined> {
    const found = await tx.get(shadows, keyOf(address));
    return found === undefined ? undefined : this.#change(tx, address, request, time, found);
  }

  async #change(
    tx: WriteTransaction,
    address: ShadowAddress,
    request: UpdateRequest,
    time: number,
    found: ShadowRecord | undefined,
  ): Promise<UpdateMessages> {
    const [accountId, thingName, shadowName] = keyOf(address);
    const known = found !== undefined && this.#isKnown(found) ? found : undefined;
    refuseOtherVersion(request, known);
    const previous = known === undefined || known.deletedAt !== undefined ? undefined : documentOf(known);
    const state = updatedState(previous?.state ?? {}, request.patch);
    const stored = stateMembers(state);
    if (documentBytes(stored) > MAX_DOCUMENT_BYTES) throw tooLarge();
    const isGrowing = previous === undefined || documentBytes(stored) > documentBytes(known ?? {});
    if (isGrowing && this.#deps.disk?.low === true) throw diskLow();
    const version = (known?.version ?? 0) + 1;
    await tx.put(shadows, { accountId, thingName, shadowName, version, ...stored });
    const delta = deltaOf(state);
    const frame = frameOf(address, version, time, request.clientToken);
    return {
      accepted: acceptedUpdate(request.state, frame),
      delta: delta && (() => deltaMessage(delta, frame)),
      documents: () => documentsMessage(previous, state, frame),
    };
  }

  /** Whether a shadow is there, or was deleted so lately that its version is known. */
  #isKnown({ deletedAt }: ShadowRecord): boolean {
    return deletedAt === undefined || this.#deps.clock.now() - deletedAt < VERSION_KEPT;
  }
}

const frameOf = (
  { shadowName }: ShadowAddress,
  version: number,
  timestamp: number,
  clientToken: string | undefined,
): MessageFrame => ({ version, timestamp, clientToken, hasMetadata: shadowName !== PACKAGE_SHADOW });

const documentOf = (record: ShadowRecord): ShadowDocument => ({ state: stateOf(record), version: record.version });

/** Fails where the request is for another version; one that is not there yet has none, and its first is 1. */
function refuseOtherVersion({ version }: UpdateRequest, known: ShadowRecord | undefined): void {
  if (version === undefined) return;
  const matches = known === undefined ? version <= 1n : version === BigInt(known.version);
  if (!matches) throw versionConflict();
}
