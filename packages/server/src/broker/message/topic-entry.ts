/** One topic of an account: its bytes, its ARN, and whether clients may publish on it and get what is. */
import { clientUseOf, type TopicFault, topicFault } from '@thingkeep/wire/topics.ts';
import { ownCopy } from '../../mqtt/cursor.ts';

export class TopicEntry {
  readonly name: string;
  #bytes: Buffer | undefined;
  readonly arn: string;
  /** Undefined when it is a fine topic. */
  readonly fault: TopicFault | undefined;
  /** Whether any client may publish on it, whatever its policy says. */
  readonly clientMayPublish: boolean;
  /** Whether any subscriber may get what is published on it. */
  readonly clientMayReceive: boolean;

  constructor(name: string, arn: string) {
    this.name = name;
    this.arn = arn;
    this.fault = topicFault(name);
    const { publish, receive } = clientUseOf(name);
    this.clientMayPublish = publish;
    this.clientMayReceive = receive;
  }

  /** The name in UTF-8, made when a packet needs it: most topics of requests are in none that the server sends. */
  get bytes(): Buffer {
    this.#bytes ??= ownCopy(Buffer.from(this.name, 'utf8'));
    return this.#bytes;
  }
}
