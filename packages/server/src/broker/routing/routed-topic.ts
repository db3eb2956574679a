/** A topic as the hot path knows it: with who gets its messages, looked up anew only when that may have changed. */
import type { PeerNode } from './peers.ts';
import type { Receivers } from './routes.ts';
import type { TopicInterceptor } from '../messaging.ts';
import { TopicEntry } from '../message/topic-entry.ts';

export const NO_RECEIVERS: Receivers = { sessions: [], groups: [] };
const NO_NODES: readonly PeerNode[] = [];

export class RoutedTopic extends TopicEntry {
  /** Whether many receivers are remembered: not of a topic that is one of as many as there are devices. */
  keepsMany = true;
  /** Valid as long as this equals the account's generation. */
  routeGeneration = -1;
  receivers: Receivers = NO_RECEIVERS;
  /** Valid as long as this equals the generation of what other nodes want: 0 where there are none. */
  nodeGeneration = 0;
  nodes: readonly PeerNode[] = NO_NODES;
  /** Valid as long as this equals the account's generation of interceptors. */
  interceptorGeneration = 0;
  interceptor: TopicInterceptor | undefined;
}

/** The topic of a batch that holds no messages yet. */
export const NO_TOPIC = new RoutedTopic('', '');
