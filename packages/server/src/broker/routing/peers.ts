/**
 * The other nodes of a fleet, as the router knows them: which of them want the messages of a topic, and how these get there.
 * There is one node so far, and no other: that costs a comparison for each batch.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { PublishBatch } from '../message/publish-batch.ts';
import type { Congestible } from '../messaging.ts';

/** A node that messages are sent to. It finds the receivers among its own sessions, and shows no message to rules. */
export interface PeerNode extends Congestible {
  /** Whether publishers should wait before they send more there. */
  readonly isCongested: boolean;
  /**
   * Sends the messages of a batch, whose bytes are the caller's again when it returns; those of one publisher arrive in
   * their order. For QoS 1: resolves once the node has stored them where they must be, or has taken responsibility for
   * them; rejects when it will not. Undefined for QoS 0, which is not answered.
   */
  send(place: Place, batch: PublishBatch): Promise<void> | undefined;
}

export interface Peers {
  /** Rises when other nodes begin or cease to want something; 0 as long as there are none. */
  readonly generation: number;
  /** Nodes that want messages of the topic: asked for once per topic and generation. */
  wanting(place: Place, topic: string): readonly PeerNode[];
}

const NO_NODES: readonly PeerNode[] = [];

/** A node alone. */
export const NO_PEERS: Peers = { generation: 0, wanting: () => NO_NODES };
