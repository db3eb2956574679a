/** A retained message as it is stored. */
import { collection } from '../../store/contract.ts';

export interface RetainedRecord {
  readonly accountId: string;
  readonly topic: string;
  /** Base64. */
  readonly payload: string;
  readonly qos: number;
  /** Encoded MQTT 5 properties with their length, base64; absent when there are none. */
  readonly properties?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly lastModifiedAt: number;
}

export const retainedMessages = collection<RetainedRecord>('retained-messages', (m) => [m.accountId, m.topic]);
