/** Messages to clients, counted: sent, and not sent. */
import { zeroCounters } from '../../runtime/zero-counters.ts';

/**
 * Why a subscriber did not get a message. `slow-client`: QoS 0 that it did not take in time; `too-large`: over its Maximum
 * Packet Size; `queue-full` and `disk-low`: no room on disk; `expired`: its interval was over; `not-allowed`: its permissions
 * ended while it waited; `no-receiver`: no member of its shared subscription may have it.
 */
export const DROP_REASONS = [
  'slow-client',
  'too-large',
  'queue-full',
  'disk-low',
  'expired',
  'not-allowed',
  'no-receiver',
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

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
