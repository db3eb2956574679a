/** All sessions: found again after a start, opened by CONNECT, kept while their client is away, and ended. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Collection, RowKey, Store } from '../../store/contract.ts';
import type { Journal } from '../../store/journal.ts';
import { pages } from '../../store/pages.ts';
import type { AccountSpace } from './account.ts';
import { Backlog } from '../session/backlog.ts';
import type { DisconnectReason } from '../contract.ts';
import { Delivery } from '../session/delivery.ts';
import type { Connect } from '../../mqtt/connect.ts';
import { BODY_OWNER, bodies, queued, QueuedMessages } from '../session/queued-messages.ts';
import { Session, type SessionOwner, type SessionRecord, type Subscriber, sessionRecords } from '../session/session.ts';
import { type SharedGroup, type SharedGroupRecord, sharedGroupRecords } from '../session/shared-group.ts';
import type { Subscription } from '../session/subscription.ts';
import type { DeliveryCounters } from '../session/delivery-counters.ts';

export interface SessionsOptions {
  readonly store: Store;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: DeliveryCounters;
  readonly account: (accountId: string, region: string) => AccountSpace;
  /** A session has ended, its client there or not. */
  readonly onEnd: (session: Session, account: AccountSpace) => void;
}

/** Records read at once at the start, and rows removed at once. */
const PAGE = 1000;

export interface Opened {
  readonly session: Session;
  /** Whether it was there before: the CONNACK's Session Present. */
  readonly present: boolean;
}

export class Sessions {
  /** Messages in the queues of sessions and groups. */
  readonly messages: QueuedMessages;
  readonly #options: SessionsOptions;
  readonly #away = new Set<Session>();
  readonly #awayByCertificate = new Map<string, Set<Session>>();
  #nextId = 1;
  #subscriptions = 0;
  /** Sessions and shares that were left out at the start because their record is damaged. */
  #unread = 0;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.messages = new QueuedMessages(options.journal);
  }

  /** Number of subscriptions of all sessions. */
  get subscriptions(): number {
    return this.#subscriptions;
  }

  /** Persistent sessions whose client is away. */
  get away(): ReadonlySet<Session> {
    return this.#away;
  }

  /** Finds again what the data file holds. Rows without a session or share are removed. */
  async load(): Promise<void> {
    const sessions = await this.#all(sessionRecords);
    const shares = await this.#all(sharedGroupRecords);
    const backlogs = new Map<number, Backlog>();
    for (const record of sessions) this.#restore(record, backlogs);
    for (const record of shares) this.#restoreShare(record, backlogs);
    await this.#countRows(backlogs);
    for (const { id } of [...sessions, ...shares]) this.#nextId = Math.max(this.#nextId, id + 1);
    const now = this.#options.clock.monotonic();
    for (const session of [...this.#away])
      if (session.lifetime.leftAt === undefined) this.#startExpiry(session);
      else if (session.lifetime.isOver(now)) this.end(session);
  }

  /** Certificates that sessions whose client is away were opened with. */
  get certificates(): string[] {
    return [...this.#awayByCertificate.keys()];
  }

  /** Accounts and regions in which a certificate has sessions whose client is away. */
  placesOf(certificateId: string): Place[] {
    return [...new Set([...(this.#awayByCertificate.get(certificateId) ?? [])].map(({ place }) => place))];
  }

  /** Ends the sessions of a certificate in one place whose client is away: they do not outlive it. */
  endOf(certificateId: string, { accountId, region }: Place): void {
    for (const session of [...(this.#awayByCertificate.get(certificateId) ?? [])]) {
      const { place } = session;
      if (place.accountId === accountId && place.region === region) this.end(session);
    }
  }

  /** The session of an admitted client: its old one if it has and wants that, else a new one. */
  open(client: Subscriber, account: AccountSpace, asked: Connect, owner: SessionOwner): Opened {
    const known = account.sessions.get(client.clientId);
    const resumes = known !== undefined && !known.ended && known.persistent && !asked.clean && known.level === asked.level;
    if (known !== undefined && !resumes) this.end(known);
    const session =
      known !== undefined && resumes
        ? known
        : this.#make(account, client.clientId, asked.level, owner.expiry > 0 ? this.#nextId++ : 0);
    this.#markOnline(session);
    session.attach(client, owner);
    if (session.persistent) this.save(session);
    return { session, present: resumes };
  }

  /** Its record is written with the next commit. */
  save(session: Session): void {
    if (session.ended) return;
    const { record } = session;
    this.#options.journal.recordPaced(nameOf(session), (tx) => tx.put(sessionRecords, record));
  }

  /** The connection of a session has ended. */
  leave(session: Session, client: Subscriber, why: DisconnectReason): void {
    if (session.client !== client) return;
    session.detach(why);
    if (session.ended) return;
    if (session.persistent && session.lifetime.expiry > 0) this.#startExpiry(session);
    else this.end(session);
  }

  end(session: Session): void {
    if (session.ended) return;
    const filters = [...session.subscriptions.keys()];
    this.#subscriptions -= filters.length;
    session.end();
    this.#markOnline(session);
    const account = this.#accountOf(session);
    for (const filter of filters) this.#removeRoute(account, session, filter);
    if (filters.length > 0) account.routesChanged();
    if (account.sessions.get(session.clientId) === session) account.sessions.delete(session.clientId);
    if (session.persistent) {
      account.queues.sessionEnded();
      const { region, accountId } = account.place;
      this.#options.journal.record(nameOf(session), async (tx) => {
        await tx.delete(sessionRecords, [region, accountId, session.clientId]);
      });
      this.#clear(session.delivery.backlog);
    }
    this.#options.onEnd(session, account);
  }

  subscribe(session: Session, subscription: Subscription): void {
    const account = this.#accountOf(session);
    if (!session.subscriptions.has(subscription.filter)) this.#subscriptions += 1;
    session.subscribe(subscription);
    account.routes.add(session, subscription);
    account.routesChanged();
    if (session.persistent) this.save(session);
  }

  /** Says whether there was such a subscription. */
  unsubscribe(session: Session, filter: string): boolean {
    if (!session.unsubscribe(filter)) return false;
    this.#subscriptions -= 1;
    const account = this.#accountOf(session);
    this.#removeRoute(account, session, filter);
    account.routesChanged();
    if (session.persistent) this.save(session);
    return true;
  }

  /** Ends sessions whose time has come. */
  sweep(now: number): void {
    for (const session of this.#away) if (session.lifetime.isOver(now)) this.end(session);
  }

  /** The queue of a share; made, and its number stored, when it is first needed. */
  backlogOf(account: AccountSpace, share: SharedGroup): Backlog {
    if (share.backlog !== undefined) return share.backlog;
    const record: SharedGroupRecord = { ...account.place, filter: share.filter, id: this.#nextId++ };
    const backlog = this.#backlog(account, record.id);
    share.keepIn(backlog);
    this.#options.journal.record(shareName(account, share.filter), (tx) => tx.put(sharedGroupRecords, record));
    return backlog;
  }

  #accountOf({ place }: Session): AccountSpace {
    return this.#options.account(place.accountId, place.region);
  }

  #removeRoute(account: AccountSpace, session: Session, filter: string): void {
    const share = account.routes.share(filter);
    account.routes.remove(session, filter);
    if (share !== undefined) this.#shareLeft(account, share);
  }

  /** Drops the queue of a share that has no member of QoS 1 left. */
  #shareLeft(account: AccountSpace, share: SharedGroup): void {
    if (share.backlog === undefined || share.hasQos1Member) return;
    this.#clear(share.backlog);
    share.keepIn(undefined);
    this.#forgetShare(account, share.filter);
  }

  #forgetShare(account: AccountSpace, filter: string): void {
    const { region, accountId } = account.place;
    this.#options.journal.record(shareName(account, filter), async (tx) => {
      await tx.delete(sharedGroupRecords, [region, accountId, filter]);
    });
  }

  #startExpiry(session: Session): void {
    session.lifetime.start(this.#options.clock);
    this.#markOffline(session);
    // Permissions that kept a topic from the connection say nothing of the next one: they are asked again then.
    if (session.subscriptions.size > 0) this.#accountOf(session).routesChanged();
    this.save(session);
  }

  #markOffline(session: Session): void {
    this.#away.add(session);
    const { certificateId } = session;
    if (certificateId === undefined) return;
    const same = this.#awayByCertificate.get(certificateId);
    if (same === undefined) this.#awayByCertificate.set(certificateId, new Set([session]));
    else same.add(session);
  }

  #markOnline(session: Session): void {
    this.#away.delete(session);
    const { certificateId = '' } = session;
    const same = this.#awayByCertificate.get(certificateId);
    same?.delete(session);
    if (same?.size === 0) this.#awayByCertificate.delete(certificateId);
  }

  #make(account: AccountSpace, clientId: string, level: Session['level'], id: number): Session {
    const { counters, clock } = this.#options;
    const backlog = id === 0 ? undefined : this.#backlog(account, id);
    const session = new Session(account.place, clientId, level, new Delivery(counters, clock, backlog), id);
    account.sessions.set(clientId, session);
    if (session.persistent) account.queues.sessionOpened();
    return session;
  }

  #backlog({ limits, queues }: AccountSpace, id: number): Backlog {
    return new Backlog(
      id,
      this.messages,
      this.#options.store,
      { messages: limits.queuedMessages, bytes: limits.queuedBytes },
      queues,
    );
  }

  #clear(backlog: Backlog | undefined): void {
    backlog?.clear().catch((error: unknown) => this.#options.log.error({ err: error }, 'an ended queue could not be removed'));
  }

  async #all<T extends object>(of: Collection<T>): Promise<T[]> {
    const found: T[] = [];
    for await (const { items, damaged = 0 } of pages(this.#options.store, of, { skipDamaged: true, prefix: [] })) {
      found.push(...items);
      this.#unread += damaged;
    }
    return found;
  }

  #restore(record: SessionRecord, backlogs: Map<number, Backlog>): void {
    const account = this.#options.account(record.accountId, record.region);
    const session = this.#make(account, record.clientId, record.level, record.id);
    session.restore(record, this.#options.clock);
    this.#subscriptions += session.subscriptions.size;
    for (const subscription of session.subscriptions.values()) account.routes.add(session, subscription);
    this.#markOffline(session);
    if (session.delivery.backlog !== undefined) backlogs.set(record.id, session.delivery.backlog);
  }

  #restoreShare(record: SharedGroupRecord, backlogs: Map<number, Backlog>): void {
    const account = this.#options.account(record.accountId, record.region);
    const share = account.routes.share(record.filter);
    if (share === undefined) {
      this.#forgetShare(account, record.filter);
      return;
    }
    const backlog = this.#backlog(account, record.id);
    share.keepIn(backlog);
    backlogs.set(record.id, backlog);
  }

  async #countRows(backlogs: ReadonlyMap<number, Backlog>): Promise<void> {
    const { store } = this.#options;
    const holders = new Map<number, number>();
    const lost: RowKey[] = [];
    let last = 0;
    let owners = 0;
    await store.read((tx) =>
      tx.eachRow(queued, ({ owner, at }, size) => {
        last = Math.max(last, at);
        owners = Math.max(owners, owner);
        const backlog = backlogs.get(owner);
        if (backlog === undefined) {
          lost.push({ owner, at });
          return;
        }
        backlog.found(at, size);
        if (size === 0) holders.set(at, (holders.get(at) ?? 0) + 1);
      }),
    );
    const lostBodies: RowKey[] = [];
    await store.read((tx) =>
      tx.eachRow(bodies, ({ at }) => {
        last = Math.max(last, at);
        if (!holders.has(at)) lostBodies.push({ owner: BODY_OWNER, at });
      }),
    );
    this.messages.startAfter(last, holders);
    this.#nextId = Math.max(this.#nextId, owners + 1);
    // Rows without a session may be those of one that could not be read: they stay for its repair.
    if (this.#unread > 0) return;
    for (let i = 0; i < lost.length; i += PAGE) await store.write((tx) => tx.deleteRows(queued, lost.slice(i, i + PAGE)));
    for (let i = 0; i < lostBodies.length; i += PAGE)
      await store.write((tx) => tx.deleteRows(bodies, lostBodies.slice(i, i + PAGE)));
  }
}

const nameOf = ({ place, clientId }: Session): string => `session/${place.region}/${place.accountId}/${clientId}`;
const shareName = ({ place }: AccountSpace, filter: string): string => `share/${place.region}/${place.accountId}/${filter}`;

/** Seconds that the session is to live after its connection; 0 for a clean one [MQTT-3.1.2-11; fact: page mqtt]. */
export function expiryOf({ level, clean, properties }: Connect, { limits }: AccountSpace): number {
  if (level === 4) return clean ? 0 : limits.sessionExpiry;
  return Math.min(properties.sessionExpiryInterval ?? 0, limits.sessionExpiry);
}
