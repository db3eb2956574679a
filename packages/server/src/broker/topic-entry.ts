/** One topic of an account as the hot path knows it: its bytes, its ARN, and who gets its messages. */
import { clientMayPublish, type TopicFault, topicFault } from '@thingkeep/wire/topics.ts';
import { ownCopy } from '../mqtt/cursor.ts';
import type { Receivers } from './routes.ts';
import type { Tapped } from './tap.ts';

export class TopicEntry {
  readonly name: string;
  readonly bytes: Buffer;
  readonly arn: string;
  /** Undefined when it is a fine topic. */
  readonly fault: TopicFault | undefined;
  /** Whether any client may publish on it, whatever its policy says. */
  readonly open: boolean;
  /** Valid as long as this equals the account's generation. */
  routeGeneration = -1;
  receivers: Receivers = { targets: [], shares: [] };
  /** Valid as long as this equals the account's generation of taps. */
  tapGeneration = 0;
  tapped: Tapped | undefined;

  constructor(name: string, arn: string) {
    this.name = name;
    this.bytes = ownCopy(Buffer.from(name, 'utf8'));
    this.arn = arn;
    this.fault = topicFault(name);
    this.open = clientMayPublish(name);
  }
}
