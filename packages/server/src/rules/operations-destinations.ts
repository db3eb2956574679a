/** Topic rule destinations, and how their owners confirm them (developer guide, page rule-destination). */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { TopicRuleDestination, TopicRuleDestinationSummary } from '@aws-sdk/client-iot';
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import type { Store } from '../store/contract.ts';
import { ActionError } from './actions/contract.ts';
import { send } from './actions/http-request.ts';
import type { DestinationDirectory } from './destination-directory.ts';
import { type DestinationRecord, destinationArn, destinationId, destinations } from './destination-store.ts';

export interface DestinationOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly destinationDirectory: DestinationDirectory;
  /** Base URL of the API, as the owner of a destination can reach it. */
  readonly apiUrl: () => string;
}

/** General Reference, AWS IoT Core rules engine quotas. */
const MOST_DESTINATIONS = 1000;
const MOST_NETWORKS = 5;
/** Milliseconds that a destination has to take its confirmation request. */
const PATIENCE = 3000;

type Names =
  | 'CreateTopicRuleDestination'
  | 'GetTopicRuleDestination'
  | 'ListTopicRuleDestinations'
  | 'UpdateTopicRuleDestination'
  | 'DeleteTopicRuleDestination'
  | 'ConfirmTopicRuleDestination';

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');
/** As with rules, AWS declares no ResourceNotFoundException. */
const unseen = (arn: string): never => fail('UnauthorizedException', `Access to topic rule destination '${arn}' was denied`);
const placeOf = ({ accountId, region }: Place): Place => ({ accountId, region });
const bad = (message: string): never => fail('InvalidRequestException', message);

function described(place: Place, record: DestinationRecord): TopicRuleDestination {
  const { id, status, statusReason, createdAt, lastUpdatedAt, confirmationUrl, vpc } = record;
  return {
    ...{ arn: destinationArn(place, id), status, statusReason: statusReason ?? '' },
    ...{ createdAt: new Date(createdAt), lastUpdatedAt: new Date(lastUpdatedAt) },
    ...(confirmationUrl === undefined ? {} : { httpUrlProperties: { confirmationUrl } }),
    ...(vpc === undefined ? {} : { vpcProperties: vpcOf(vpc) }),
  };
}

const vpcOf = ({ subnetIds, securityGroups = [], ...rest }: NonNullable<DestinationRecord['vpc']>) => ({
  ...rest,
  subnetIds: [...subnetIds],
  securityGroups: [...securityGroups],
});

function summary(place: Place, record: DestinationRecord): TopicRuleDestinationSummary {
  const { httpUrlProperties, vpcProperties, ...rest } = described(place, record);
  return {
    ...rest,
    ...(httpUrlProperties === undefined ? {} : { httpUrlSummary: httpUrlProperties }),
    ...(vpcProperties === undefined ? {} : { vpcDestinationSummary: vpcProperties }),
  };
}

export function destinationOperations(options: DestinationOptions): Handlers<Pick<IotOperations, Names>> {
  const { store, clock, log, destinationDirectory: directory, apiUrl } = options;

  async function change(
    place: Place,
    id: string,
    to: (known: DestinationRecord) => DestinationRecord,
  ): Promise<DestinationRecord | undefined> {
    const changed = await store.write(async (tx) => {
      const known = await tx.get(destinations, [place.accountId, id]);
      if (known === undefined) return undefined;
      const next = { ...to(known), lastUpdatedAt: clock.now() };
      await tx.put(destinations, next);
      return next;
    });
    if (changed !== undefined) directory.put(placeOf(place), changed);
    return changed;
  }

  /** Asks the owner of the URL to send the token back; what comes of it is the destination's status. */
  async function askOwner(place: Place, id: string, confirmationUrl: string, token: string): Promise<void> {
    const arn = destinationArn(place, id);
    const url = new URL(confirmationUrl);
    url.pathname = url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/`;
    url.searchParams.set('confirmationToken', token);
    const enableUrl = `${apiUrl()}/confirmdestination/${encodeURIComponent(token)}`;
    const document = { arn, confirmationToken: token, enableUrl, messageType: 'DestinationConfirmation' };
    const headers = {
      'content-type': 'application/json',
      'x-amz-rules-engine-message-type': 'DestinationConfirmation',
      'x-amz-rules-engine-destination-arn': arn,
    };
    const body = Buffer.from(JSON.stringify(document));
    const reason = await send(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(PATIENCE) }).then(
      ({ status }) => (status >= 200 && status < 300 ? undefined : `it answered the confirmation request with status ${status}`),
      (error: unknown) => (error instanceof ActionError ? error.message : 'the confirmation request could not be sent'),
    );
    if (reason === undefined) return;
    log.info({ event: 'destination-not-confirmed', arn, reason }, 'a destination did not take its confirmation request');
    await change(place, id, (known) =>
      known.status === 'IN_PROGRESS' ? { ...known, status: 'ERROR', statusReason: reason } : known,
    );
  }

  /** Gives the destination a new token and sends it, beside whoever asked for it. */
  async function beginConfirmation(place: Place, id: string): Promise<DestinationRecord | undefined> {
    const token = randomBytes(32).toString('base64url');
    const record = await change(place, id, (known) => ({
      ...known,
      ...{ status: 'IN_PROGRESS', statusReason: 'Awaiting confirmation. Confirmation message sent.' },
      ...{ tokenHash: hashOf(token), confirmed: false },
    }));
    if (record?.confirmationUrl !== undefined)
      void askOwner(place, id, record.confirmationUrl, token).catch((error: unknown) =>
        log.error({ err: error }, 'a destination could not be asked for its confirmation'),
      );
    return record;
  }

  const idOf = (caller: Caller, arn: string): string => destinationId(caller, arn) ?? unseen(arn);

  return {
    async CreateTopicRuleDestination({ destinationConfiguration }, caller) {
      const { httpUrlConfiguration: http, vpcConfiguration: vpc } = destinationConfiguration ?? {};
      if ((http === undefined) === (vpc === undefined))
        bad('A destination has exactly one of httpUrlConfiguration and vpcConfiguration');
      const url = http === undefined ? undefined : confirmationUrlOf(http.confirmationUrl ?? '');
      const now = clock.now();
      const trusted = url !== undefined && directory.isTrusted(new URL(url));
      const record: DestinationRecord = {
        ...{ accountId: caller.accountId, id: `${url === undefined ? 'vpc' : 'http'}/${randomUUID()}` },
        ...{ status: vpc !== undefined || trusted ? 'ENABLED' : 'IN_PROGRESS', createdAt: now, lastUpdatedAt: now },
        ...(url === undefined ? {} : { confirmationUrl: url }),
        ...(vpc === undefined
          ? {}
          : {
              vpc: {
                ...{ vpcId: vpc.vpcId ?? '', roleArn: vpc.roleArn ?? '', subnetIds: vpc.subnetIds ?? [] },
                ...(vpc.securityGroups === undefined ? {} : { securityGroups: vpc.securityGroups }),
              },
            }),
        confirmed: trusted,
      };
      await store.write(async (tx) => {
        const { items } = await tx.scan(destinations, { prefix: [caller.accountId] });
        if (items.length >= MOST_DESTINATIONS) bad(`An account has at most ${MOST_DESTINATIONS} destinations`);
        if (vpc !== undefined && items.filter((known) => known.vpc !== undefined).length >= MOST_NETWORKS)
          bad(`An account has at most ${MOST_NETWORKS} VPC destinations`);
        if (url !== undefined && items.some(({ confirmationUrl }) => confirmationUrl === url))
          fail('ResourceAlreadyExistsException', `A destination with the confirmation URL ${url} exists already`);
        await tx.put(destinations, record);
      });
      directory.put(placeOf(caller), record);
      const begun = record.status === 'IN_PROGRESS' ? await beginConfirmation(placeOf(caller), record.id) : undefined;
      return { topicRuleDestination: described(caller, begun ?? record) };
    },

    async GetTopicRuleDestination({ arn = '' }, caller) {
      const id = idOf(caller, arn);
      const record = (await store.read((tx) => tx.get(destinations, [caller.accountId, id]))) ?? unseen(arn);
      return { topicRuleDestination: described(caller, record) };
    },

    async ListTopicRuleDestinations({ maxResults = MOST_DESTINATIONS, nextToken }, caller) {
      const page = await store.read((tx) =>
        tx.scan(destinations, { prefix: [caller.accountId], after: nextToken, limit: maxResults }),
      );
      return { destinationSummaries: page.items.map((record) => summary(caller, record)), nextToken: page.next };
    },

    async UpdateTopicRuleDestination({ arn = '', status }, caller) {
      const id = idOf(caller, arn);
      const known = (await store.read((tx) => tx.get(destinations, [caller.accountId, id]))) ?? unseen(arn);
      if (status === 'IN_PROGRESS' && known.confirmationUrl !== undefined) {
        await beginConfirmation(placeOf(caller), id);
        return {};
      }
      if (status !== 'ENABLED' && status !== 'DISABLED') return bad(`A destination can not be set to ${status}`);
      if (status === 'ENABLED' && known.confirmationUrl !== undefined && !known.confirmed)
        bad('The destination has not been confirmed by its owner yet');
      await change(caller, id, (record) => ({ ...record, status, statusReason: '' }));
      return {};
    },

    async DeleteTopicRuleDestination({ arn = '' }, caller) {
      const id = idOf(caller, arn);
      await store.write(async (tx) => {
        if (!(await tx.delete(destinations, [caller.accountId, id]))) unseen(arn);
      });
      directory.remove(placeOf(caller), id);
      return {};
    },

    async ConfirmTopicRuleDestination({ confirmationToken = '' }, caller) {
      await confirmDestination(options, caller.region, confirmationToken);
      return {};
    },
  };
}

/** Whether a destination of the region waits for this token. */
export const holdsDestination = async ({ store }: Pick<DestinationOptions, 'store'>, token: string): Promise<boolean> => {
  const found = await store.read((tx) => tx.scan(destinations, { index: 'byToken', prefix: [hashOf(token)], limit: 1 }));
  return found.items.length > 0;
};

/** Whoever holds the token gets what is sent to the URL: the destination is ENABLED. Fails with InvalidRequestException. */
export async function confirmDestination(
  { store, clock, destinationDirectory }: Pick<DestinationOptions, 'store' | 'clock' | 'destinationDirectory'>,
  region: string,
  token: string,
): Promise<void> {
  const record = await store.write(async (tx) => {
    const { items } = await tx.scan(destinations, { index: 'byToken', prefix: [hashOf(token)], limit: 1 });
    const [known] = items;
    if (known === undefined || known.status !== 'IN_PROGRESS') return bad('The confirmation token is not valid any more');
    const { statusReason: _, ...rest } = known;
    const confirmed: DestinationRecord = { ...rest, status: 'ENABLED', confirmed: true, lastUpdatedAt: clock.now() };
    await tx.put(destinations, confirmed);
    return confirmed;
  });
  destinationDirectory.put({ accountId: record.accountId, region }, record);
}

function confirmationUrlOf(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '' || url.hash !== '')
    return bad(`${text} is no http or https URL`);
  return text;
}
