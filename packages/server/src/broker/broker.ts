/**
 * The message broker, put together from its parts: connections, publishing, sessions, wills. It knows no sockets (a channel is
 * handed in), no certificates and no policies (an authorizer is handed in), and no clock but the one it is given.
 */
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import type { Refusal } from '../refusals/refusals.ts';
import { RepeatLimiter } from '../runtime/repeat-limiter.ts';
import type { Disk } from '../runtime/disk-room.ts';
import type { Clock } from '../runtime/clock.ts';
import { Standstill } from '../runtime/standstill.ts';
import type { Logger } from '../runtime/log.ts';
import type { Store } from '../store/contract.ts';
import { BrokerMessaging } from './broker-messaging.ts';
import { clientServices } from './client-services.ts';
import { ClaimQueue } from './connection/claim-queue.ts';
import { type ClientIds, LocalClientIds } from './connection/client-ids.ts';
import type { Client } from './connection/client.ts';
import { ConnectionRegister } from './connection/connection-register.ts';
import { type BrokerCounters, brokerCounters } from './connection/counters.ts';
import { Flusher } from './connection/output.ts';
import { PresenceVersions } from './connection/presence-versions.ts';
import type { BrokerServices } from './connection/services.ts';
import { Wills } from './connection/wills.ts';
import { Connections } from './connections.ts';
import { BrokerFigures } from './figures.ts';
import type { Messaging } from './messaging.ts';
import { BrokerPublishing } from './publishing.ts';
import type { AccountSpace } from './routing/account.ts';
import { AccountSpaces, type AccountOptions } from './routing/account-spaces.ts';
import { LoopBudget } from './routing/loop-budget.ts';
import type { Peers } from './routing/peers.ts';
import type { Retained } from './routing/retained.ts';
import { Router } from './routing/router.ts';
import { Sessions } from './routing/sessions.ts';
import { Journal } from '../store/journal.ts';
import { Ticker } from './ticker.ts';

export interface BrokerOptions extends AccountOptions {
  readonly log: Logger;
  readonly refuse: (refusal: Refusal) => void;
  readonly retained: Retained;
  /** Where sessions and their messages are kept. */
  readonly store: Store;
  /** Whether the disk has room for more of them; it always has when absent. */
  readonly disk?: Disk;
  /** Which port the sender of a first packet wants that is none of MQTT; undefined where it is not known. */
  readonly firstPacketHint: (bytes: Uint8Array) => string | undefined;
  /** What client ids are claimed of, in place of the claims within this process. */
  readonly clientIds?: (local: ClientIds) => ClientIds;
  /** Other nodes; none when absent. */
  readonly peers?: Peers;
}

/** Seconds that a peer has for its CONNECT, and that the answer to it may take, counted from the connection's begin. */
const CONNECT_DEADLINE = 10;
const CONNACK_DEADLINE = 60;

/** How often a client leaves the same record. */
const TAKE_OVER = { max: 1, perMs: 60_000 };
const UNSERVED = { max: 1, perMs: 600_000 };

export class Broker {
  readonly clock: Clock;
  readonly log: Logger;
  readonly refuse: (refusal: Refusal) => void;
  readonly counters: BrokerCounters = brokerCounters();
  readonly journal: Journal;
  readonly sessions: Sessions;
  readonly register: ConnectionRegister;
  readonly wills: Wills;
  readonly retained: Retained;
  readonly standstill: Standstill;
  readonly connections: Connections;
  readonly publishing: BrokerPublishing;
  /** What other domains use of the broker. */
  readonly messaging: Messaging;
  /** What its metrics are made of. */
  readonly figures: BrokerFigures;
  /** What clients use of it. */
  readonly services: BrokerServices<Client>;
  readonly #accounts: AccountSpaces;
  readonly #ticker: Ticker;

  constructor(options: BrokerOptions) {
    const { clock, log, refuse, retained, store, disk = { low: false }, peers } = options;
    const { counters } = this;
    const accounts = new AccountSpaces(options);
    this.#accounts = accounts;
    this.clock = clock;
    this.log = log;
    this.refuse = refuse;
    this.retained = retained;
    this.standstill = new Standstill(clock);
    const ticker = new Ticker(clock, this.standstill);
    this.#ticker = ticker;
    const budget = new LoopBudget(clock);
    const journal = new Journal({ store, clock, log });
    this.journal = journal;
    const versions = new PresenceVersions(clock);
    const clientIds = new LocalClientIds(versions);
    const claims = new ClaimQueue(options.clientIds?.(clientIds) ?? clientIds);
    const register = new ConnectionRegister({ store, journal, clock, versions });
    this.register = register;
    const account = this.account.bind(this);
    const sessions = new Sessions({
      store,
      journal,
      clock,
      log,
      counters,
      account,
      onEnd: (session, of) => {
        router.sessionEnded(of, session);
        wills.sessionEnded(session);
      },
    });
    this.sessions = sessions;
    const watch = ticker.watch.bind(ticker);
    const router = new Router({ sessions, counters, budget, clock, log, watch, disk, peers });
    const publishing = new BrokerPublishing({ accounts, router, journal, retained, budget, clock, log });
    this.publishing = publishing;
    const wills = new Wills({
      clock,
      log,
      register,
      retained,
      storeBeforeSending: publishing.storeBeforeSending.bind(publishing),
      publishMessage: publishing.publishMessage.bind(publishing),
    });
    this.wills = wills;
    const services = (): BrokerServices<Client> => this.services;
    this.connections = new Connections({ claims, counters, sessions, register, wills, router, publishing, services });
    const flusher = new Flusher();
    this.figures = new BrokerFigures({ accounts, connections: this.connections, counters, flusher, sessions });
    const messaging = new BrokerMessaging({
      accounts,
      publishing,
      connections: this.connections,
      journal,
      clock,
      log,
      refuse,
      counters,
    });
    this.messaging = messaging;
    const firstPacketFault = (bytes: Buffer): string => {
      const hint = options.firstPacketHint(bytes);
      return `the first packet is not CONNECT${hint === undefined ? '' : `: ${hint}`}`;
    };
    const repeats = { takeOver: new RepeatLimiter(clock, TAKE_OVER), unserved: new RepeatLimiter(clock, UNSERVED) };
    const isServed = messaging.isServed.bind(messaging);
    const kept = { journal, sessions, disk, claims, register, wills };
    this.services = clientServices(
      { clock, log, flusher, budget, counters, ...kept, refuse, repeats, firstPacketFault, account, isServed },
      this.connections,
      publishing,
      ticker,
    );
  }

  /** Finds persistent sessions and lost connections again; to be awaited before the first connection. */
  async load(): Promise<void> {
    await this.sessions.load();
    await this.register.load();
  }

  /** The topics and clients of an account in a region. */
  account(accountId: string, region?: string): AccountSpace {
    return this.#accounts.of(accountId, region);
  }

  /** Keeps time: called a few times a second. */
  tick(): void {
    this.#ticker.tick();
  }

  /**
   * Closes clients that have been silent for too long, ends what has expired: called about once a second. After a standstill what
   * waits in the sockets is read first; permissions end whenever it is their time.
   */
  sweep(): void {
    const now = this.#ticker.readClock();
    const enforces = this.standstill.mayEnforceDeadlines();
    for (const client of this.connections.all) {
      if (client.state === 'connected') this.#look(client, enforces, now);
      else if (enforces && client.state === 'awaiting-connect' && now - client.reading.since > CONNECT_DEADLINE * 1000) {
        client.refuse({ check: 'protocol', reason: `no CONNECT within ${CONNECT_DEADLINE} seconds` });
        client.close('CONNECTION_LOST');
      } else if (enforces && client.state === 'admitting' && now - client.reading.since > CONNACK_DEADLINE * 1000) {
        client.refuse({ check: 'overload', reason: `no answer to CONNECT within ${CONNACK_DEADLINE} seconds` });
        client.close('SERVER_ERROR');
      }
    }
    this.register.sweep();
    if (!enforces) return;
    this.wills.sweep(now);
    this.sessions.sweep(now);
  }

  /** Disconnects all clients; new connections are refused. Resolves once what has to be stored is on disk. */
  async close(): Promise<void> {
    this.connections.close();
    await this.wills.publishAll();
    await this.journal.committed().catch(() => undefined);
  }

  #look(client: Client, enforces: boolean, now: number): void {
    client.permissions.refresh();
    if (enforces) client.session?.delivery.redeliver(now);
    if (enforces && client.reading.isSilent(now)) client.close('MQTT_KEEP_ALIVE_TIMEOUT', REASON.KEEP_ALIVE_TIMEOUT);
    else client.permissions.check(now);
  }
}
