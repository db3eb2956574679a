/** Topic rule destinations (developer guide, page rule-destination). */
import { defined } from '@thingkeep/wire/defined.ts';
import { randomUUID } from 'node:crypto';
import type { TopicRuleDestination, TopicRuleDestinationSummary, VpcDestinationConfiguration } from '@aws-sdk/client-iot';
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { type Place, placeOf } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { isRoot } from '../outgoing/author.ts';
import {
  confirmationUrlOf,
  confirmDestination,
  DestinationConfirmation,
  type DestinationOptions,
  isOverdue,
  MAX_DESTINATIONS,
} from './destination-confirmation.ts';
import { type DestinationRecord, destinationArn, destinationId, destinations } from './destination-store.ts';

/** General Reference, AWS IoT Core rules engine quotas. */
const MAX_NETWORKS = 5;

type Operations =
  | 'CreateTopicRuleDestination'
  | 'GetTopicRuleDestination'
  | 'ListTopicRuleDestinations'
  | 'UpdateTopicRuleDestination'
  | 'DeleteTopicRuleDestination'
  | 'ConfirmTopicRuleDestination';

/** As with rules, AWS declares no ResourceNotFoundException. */
const unseen = (arn: string): never => fail('UnauthorizedException', `Access to topic rule destination '${arn}' was denied`);
const bad = (message: string): never => fail('InvalidRequestException', message);

function described(place: Place, record: DestinationRecord, now: number): TopicRuleDestination {
  const { id, status, statusReason } = isOverdue(record, now)
    ? { id: record.id, status: 'ERROR' as const, statusReason: 'The destination was not confirmed in time.' }
    : record;
  const { createdAt, lastUpdatedAt, confirmationUrl, vpc } = record;
  return {
    arn: destinationArn(place, id),
    status,
    statusReason: statusReason ?? '',
    createdAt: new Date(createdAt),
    lastUpdatedAt: new Date(lastUpdatedAt),
    httpUrlProperties: confirmationUrl === undefined ? undefined : { confirmationUrl },
    vpcProperties: vpc === undefined ? undefined : vpcOf(vpc),
  };
}

const vpcOf = ({ subnetIds, securityGroups = [], ...rest }: NonNullable<DestinationRecord['vpc']>) => ({
  ...rest,
  subnetIds: [...subnetIds],
  securityGroups: [...securityGroups],
});

function summary(place: Place, record: DestinationRecord, now: number): TopicRuleDestinationSummary {
  const { httpUrlProperties, vpcProperties, ...rest } = described(place, record, now);
  return {
    ...rest,
    ...defined({ httpUrlSummary: httpUrlProperties }),
    ...defined({ vpcDestinationSummary: vpcProperties }),
  };
}

export function destinationOperations(options: DestinationOptions): Handlers<Pick<IotOperations, Operations>> {
  const { store, clock } = options;
  const confirmation = new DestinationConfirmation(options);

  const idOf = (caller: Caller, arn: string): string => destinationId(caller, arn) ?? unseen(arn);

  async function createHttp(caller: Caller, given: string | undefined): Promise<DestinationRecord> {
    const url = confirmationUrlOf(given ?? '');
    const made = await confirmation.create(placeOf(caller), url, isRoot(caller));
    if (made === 'exists')
      return fail('ResourceAlreadyExistsException', `A destination with the confirmation URL ${url} exists already`);
    return made === 'no room' ? bad(`An account has at most ${MAX_DESTINATIONS} destinations`) : made;
  }

  /** Networks that Kafka is in: a record, for the server reaches what its operator has named. */
  async function createNetwork(caller: Caller, given: VpcDestinationConfiguration): Promise<DestinationRecord> {
    const now = clock.now();
    const { vpcId = '', roleArn = '', subnetIds = [], securityGroups } = given;
    const record: DestinationRecord = {
      accountId: caller.accountId,
      id: `vpc/${randomUUID()}`,
      confirmed: false,
      status: 'ENABLED',
      createdAt: now,
      lastUpdatedAt: now,
      vpc: { vpcId, roleArn, subnetIds, securityGroups },
    };
    await store.write(async (tx) => {
      const { items } = await tx.scan(destinations, { skipDamaged: true, prefix: [caller.accountId] });
      if (items.length >= MAX_DESTINATIONS) bad(`An account has at most ${MAX_DESTINATIONS} destinations`);
      if (items.filter(({ vpc }) => vpc !== undefined).length >= MAX_NETWORKS)
        bad(`An account has at most ${MAX_NETWORKS} VPC destinations`);
      await tx.put(destinations, record);
    });
    return record;
  }

  return {
    async CreateTopicRuleDestination({ destinationConfiguration }, caller) {
      const { httpUrlConfiguration: http, vpcConfiguration: vpc } = destinationConfiguration ?? {};
      if ((http === undefined) === (vpc === undefined))
        return bad('Must provide exactly one of [HttpUrlConfiguration, VpcConfiguration, InfluxDBConfiguration]');
      const record = vpc === undefined ? await createHttp(caller, http?.confirmationUrl) : await createNetwork(caller, vpc);
      return { topicRuleDestination: described(caller, record, clock.now()) };
    },

    async GetTopicRuleDestination({ arn = '' }, caller) {
      const id = idOf(caller, arn);
      const record = (await store.read((tx) => tx.get(destinations, [caller.accountId, id]))) ?? unseen(arn);
      return { topicRuleDestination: described(caller, record, clock.now()) };
    },

    async ListTopicRuleDestinations({ maxResults = MAX_DESTINATIONS, nextToken }, caller) {
      const page = await store.read((tx) =>
        tx.scan(destinations, { skipDamaged: true, prefix: [caller.accountId], after: nextToken, limit: maxResults }),
      );
      return { destinationSummaries: page.items.map((record) => summary(caller, record, clock.now())), nextToken: page.next };
    },

    async UpdateTopicRuleDestination({ arn = '', status }, caller) {
      const id = idOf(caller, arn);
      const known = (await store.read((tx) => tx.get(destinations, [caller.accountId, id]))) ?? unseen(arn);
      if (status === 'IN_PROGRESS' && known.confirmationUrl !== undefined) {
        await confirmation.begin(placeOf(caller), id);
        return {};
      }
      if (status !== 'ENABLED' && status !== 'DISABLED') return bad(`A destination can not be set to ${status}`);
      if (status === 'DISABLED' && known.status === 'IN_PROGRESS') bad('Only a destination that is ENABLED can be disabled');
      if (status === 'ENABLED' && known.confirmationUrl !== undefined && !known.confirmed)
        bad('The destination has not been confirmed by its owner yet');
      await confirmation.change(placeOf(caller), id, (record) => ({ ...record, status, statusReason: '' }));
      return {};
    },

    async DeleteTopicRuleDestination({ arn = '' }, caller) {
      const id = idOf(caller, arn);
      await store.write(async (tx) => {
        if (!(await tx.delete(destinations, [caller.accountId, id]))) unseen(arn);
      });
      return {};
    },

    async ConfirmTopicRuleDestination({ confirmationToken = '' }) {
      await confirmDestination(options, confirmationToken);
      return {};
    },
  };
}
