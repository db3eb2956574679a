/** Figures of the broker for metrics: gauges are counted over its parts at a scrape, so that a message costs nothing for them. */
import type { BrokerCounters } from './connection/counters.ts';
import type { Flusher } from './connection/output.ts';
import type { Connections } from './connections.ts';
import type { Transport } from './contract.ts';
import type { AccountSpaces } from './routing/account-spaces.ts';
import type { Sessions } from './routing/sessions.ts';

export interface BrokerFiguresOptions {
  readonly accounts: AccountSpaces;
  readonly connections: Connections;
  readonly counters: BrokerCounters;
  readonly flusher: Flusher;
  readonly sessions: Sessions;
}

/** Connected clients of one version of MQTT and one transport. */
export interface ConnectedClients {
  readonly level: 4 | 5;
  readonly transport: Transport;
  count: number;
}

export interface ConnectionFigures {
  readonly connected: readonly ConnectedClients[];
  /** Peers without an accepted CONNECT. */
  readonly waiting: number;
  /** Sessions of connected clients. */
  readonly clean: number;
  readonly persistent: number;
  readonly inFlight: number;
}

export class BrokerFigures {
  readonly #options: BrokerFiguresOptions;

  constructor(options: BrokerFiguresOptions) {
    this.#options = options;
  }

  get counters(): BrokerCounters {
    return this.#options.counters;
  }

  /** CONNECTs that were accepted, and messages. */
  get traffic(): { readonly connects: number; readonly received: number; readonly sent: number } {
    const { connects, receivedQos0, receivedQos1, sentQos0, sentQos1 } = this.#options.counters;
    return { connects: connects.accepted, received: receivedQos0 + receivedQos1, sent: sentQos0 + sentQos1 };
  }

  /** Bytes that were handed to the network, those that wait in memory, and those that may wait there. */
  get output(): { readonly sent: number; readonly waiting: number; readonly limit: number } {
    const { sentBytes: sent, pending: waiting, budget: limit } = this.#options.flusher;
    return { sent, waiting, limit };
  }

  /** What waits on disk for clients, of all accounts. */
  get queued(): { readonly messages: number; readonly bytes: number } {
    return this.#options.accounts.queued;
  }

  get subscriptions(): number {
    return this.#options.sessions.subscriptions;
  }

  /** Sessions whose client is away. */
  get offline(): number {
    return this.#options.sessions.away.size;
  }

  /** Looks at every connection. */
  connections(): ConnectionFigures {
    const connected: ConnectedClients[] = [];
    let [waiting, clean, persistent, inFlight] = [0, 0, 0, 0];
    for (const { state, level, identity, session } of this.#options.connections.all) {
      if (state !== 'connected' || session === undefined) {
        waiting += 1;
        continue;
      }
      const { transport } = identity;
      const known = connected.find((each) => each.level === level && each.transport === transport);
      if (known === undefined) connected.push({ level, transport, count: 1 });
      else known.count += 1;
      if (session.persistent) persistent += 1;
      else clean += 1;
      inFlight += session.delivery.inFlight;
    }
    return { connected, waiting, clean, persistent, inFlight };
  }
}
