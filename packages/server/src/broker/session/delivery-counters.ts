/** Messages to clients, counted: sent, and not sent. */
import { zeroCounters } from '../../runtime/zero-counters.ts';

/** Why a subscriber did not get a message. */
export const DROP_REASONS = {
  'slow-client': 'QoS 0 that the client did not take in time',
  'too-large': "over the client's Maximum Packet Size",
  'queue-full': 'no room in the queue on disk',
  'disk-low': 'the disk was nearly full, so that nothing was queued',
  expired: 'its Message Expiry Interval was over',
  'not-allowed': 'the permission ended while it waited',
  'no-receiver': 'no member of the shared subscription may have it',
} as const;
export type DropReason = keyof typeof DROP_REASONS;

export interface DeliveryCounters {
  sentQos0: number;
  sentQos1: number;
  readonly dropped: Record<DropReason, number>;
}

export const deliveryCounters = (): DeliveryCounters => ({
  sentQos0: 0,
  sentQos1: 0,
  dropped: zeroCounters(DROP_REASONS),
});
