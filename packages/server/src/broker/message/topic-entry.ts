/** One topic of an account: its bytes, its ARN, and whether clients may publish on it and get what is. */
import { clientUseOf, type TopicFault, topicFault } from '@thingkeep/wire/topics.ts';
import { ownCopy } from '../../mqtt/cursor.ts';

export class TopicEntry {
  readonly name: string;
  readonly bytes: Buffer;
  readonly arn: string;
  /** Undefined when it is a fine topic. */
  readonly fault: TopicFault | undefined;
  /** Whether any client may publish on it, whatever its policy says. */
  readonly clientMayPublish: boolean;
  /** Whether any subscriber may get what is published on it. */
  readonly clientMayReceive: boolean;

  constructor(name: string, arn: string) {
    this.name = name;
    this.bytes = ownCopy(Buffer.from(name, 'utf8'));
    this.arn = arn;
    this.fault = topicFault(name);
    const { publish, receive } = clientUseOf(name);
    this.clientMayPublish = publish;
    this.clientMayReceive = receive;
  }
}
