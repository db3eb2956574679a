/** Records of topic rule destinations. */
import type { TopicRuleDestinationStatus } from '@aws-sdk/client-iot';
import type { Place } from '@thingkeep/wire/arn.ts';
import { collection } from '../store/contract.ts';

export interface VpcProperties {
  readonly subnetIds: readonly string[];
  readonly securityGroups?: readonly string[];
  readonly vpcId: string;
  readonly roleArn: string;
}

export interface DestinationRecord {
  readonly accountId: string;
  /** `http/{uuid}` or `vpc/{uuid}`: the end of its ARN. */
  readonly id: string;
  readonly status: TopicRuleDestinationStatus;
  readonly statusReason?: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly lastUpdatedAt: number;
  readonly confirmationUrl?: string;
  /** Whether the account's root wrote `confirmationUrl`; absent in records of before that was kept. */
  readonly byRoot?: boolean;
  readonly vpc?: VpcProperties;
  /** SHA-256 of the token that confirms it, hexadecimal; the token itself is only sent. Stays after the confirmation. */
  readonly tokenHash?: string;
  /** When its owner was last asked: milliseconds since the epoch. */
  readonly askedAt?: number;
  /** Its owner has shown to get what is sent to the URL. */
  readonly confirmed: boolean;
}

export const destinations = collection<DestinationRecord>(
  'rule-destinations',
  (d) => [d.accountId, d.id],
  {
    byToken: (d) => (d.tokenHash === undefined ? [] : [[d.tokenHash]]),
  },
  { changes: 'destination' },
);

export const destinationArn = ({ region, accountId }: Place, id: string): string =>
  `arn:aws:iot:${region}:${accountId}:ruledestination/${id}`;

/** The id in an ARN of this place; undefined when it is none. */
export function destinationId(place: Place, arn: string): string | undefined {
  const prefix = destinationArn(place, '');
  return arn.startsWith(prefix) ? arn.slice(prefix.length) : undefined;
}
