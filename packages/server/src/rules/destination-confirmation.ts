/** How the owner of a URL shows that messages may be sent there (developer guide, page http-action-destination). */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import type { Store } from '../store/contract.ts';
import { ActionError } from './actions/action-error.ts';
import { send } from './actions/http-request.ts';
import type { Egress } from '../outgoing/egress.ts';
import type { DestinationDirectory } from './destination-directory.ts';
import { type DestinationRecord, destinationArn, destinations } from './destination-store.ts';

export interface DestinationOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly destinationDirectory: DestinationDirectory;
  readonly egress: Egress;
  /** Base URL of the API, as the owner of a destination can reach it. */
  readonly apiUrl: () => string;
}

/** General Reference, AWS IoT Core rules engine quotas. */
export const MAX_DESTINATIONS = 1000;
/** Milliseconds that a destination has to take its confirmation request, and that its token is good for: three days. */
const PATIENCE = 3000;
const TOKEN_LIFE = 3 * 24 * 3_600_000;

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');
const bad = (message: string): never => fail('InvalidRequestException', message);

/** Whether nobody has confirmed it in time; `now` in milliseconds since the epoch. */
export const isOverdue = ({ status, askedAt }: DestinationRecord, now: number): boolean =>
  status === 'IN_PROGRESS' && askedAt !== undefined && now - askedAt > TOKEN_LIFE;

/** Where a confirmation may be asked for. Fails with InvalidRequestException. */
export function confirmationUrlOf(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '' || url.hash !== '')
    return bad(`${text} is no http or https URL`);
  return text;
}

export class DestinationConfirmation {
  readonly #options: DestinationOptions;

  constructor(options: DestinationOptions) {
    this.#options = options;
  }

  /** Makes a destination of a URL, and asks its owner. Undefined when there is one already, or no room. */
  async create(place: Place, confirmationUrl: string, byRoot: boolean): Promise<DestinationRecord | 'exists' | 'no room'> {
    const { store, clock, destinationDirectory: directory } = this.#options;
    const now = clock.now();
    const trusted = directory.isTrusted(new URL(confirmationUrl));
    const record: DestinationRecord = {
      accountId: place.accountId,
      id: `http/${randomUUID()}`,
      confirmationUrl,
      confirmed: trusted,
      byRoot,
      status: trusted ? 'ENABLED' : 'IN_PROGRESS',
      createdAt: now,
      lastUpdatedAt: now,
    };
    const made = await store.write(async (tx) => {
      const { items } = await tx.scan(destinations, { skipDamaged: true, prefix: [place.accountId] });
      const known = items.find((each) => each.confirmationUrl === confirmationUrl);
      if (known !== undefined) return known;
      if (items.length >= MAX_DESTINATIONS) return 'no room';
      await tx.put(destinations, record);
      return record;
    });
    if (typeof made === 'string') return made;
    if (made.id !== record.id) {
      await this.#adopt(place, made, byRoot);
      return 'exists';
    }
    return trusted ? made : ((await this.begin(place, record.id)) ?? made);
  }

  /** The root names a URL that another user has named before: it is the root's word from now on, and its owner asked again. */
  async #adopt(place: Place, { id, confirmed, byRoot: before }: DestinationRecord, byRoot: boolean): Promise<void> {
    if (!byRoot || before === true) return;
    await this.change(place, id, (known) => ({ ...known, byRoot }));
    if (!confirmed) await this.begin(place, id);
  }

  /** Undefined when there is none. */
  async change(
    place: Place,
    id: string,
    to: (known: DestinationRecord) => DestinationRecord,
  ): Promise<DestinationRecord | undefined> {
    const { store, clock } = this.#options;
    return store.write(async (tx) => {
      const known = await tx.get(destinations, [place.accountId, id]);
      if (known === undefined) return undefined;
      const next = { ...to(known), lastUpdatedAt: clock.now() };
      await tx.put(destinations, next);
      return next;
    });
  }

  /** Asks the owner of the URL to send the token back; what comes of it is the destination's status. */
  async #askOwner(place: Place, { id, confirmationUrl = '', byRoot }: DestinationRecord, token: string): Promise<void> {
    const { apiUrl, log, egress } = this.#options;
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
    const reason = await send(egress, url, {
      method: 'POST',
      headers,
      body,
      signal: AbortSignal.timeout(PATIENCE),
      exempt: egress.exempts(place.accountId, byRoot),
    }).then(
      ({ status }) => (status >= 200 && status < 300 ? undefined : `it answered the confirmation request with status ${status}`),
      (error: unknown) => (error instanceof ActionError ? error.message : 'the confirmation request could not be sent'),
    );
    if (reason === undefined) return;
    log.info({ event: 'destination-not-confirmed', arn, reason }, 'a destination did not take its confirmation request');
    await this.change(place, id, (known) =>
      known.status === 'IN_PROGRESS' ? { ...known, status: 'ERROR', statusReason: reason } : known,
    );
  }

  /** Gives the destination a new token and sends it, beside whoever asked for it. */
  async begin(place: Place, id: string): Promise<DestinationRecord | undefined> {
    const token = randomBytes(32).toString('base64url');
    const record = await this.change(place, id, (known) => ({
      ...known,
      status: 'IN_PROGRESS',
      statusReason: 'Awaiting confirmation. Confirmation message sent.',
      tokenHash: hashOf(token),
      askedAt: this.#options.clock.now(),
      confirmed: false,
    }));
    if (record?.confirmationUrl !== undefined)
      void this.#askOwner(place, record, token).catch((error: unknown) =>
        this.#options.log.error({ err: error }, 'a destination could not be asked for its confirmation'),
      );
    return record;
  }
}

/** Whether a destination of the region waits for this token. */
export const holdsDestination = async ({ store }: Pick<DestinationOptions, 'store'>, token: string): Promise<boolean> => {
  const found = await store.read((tx) => tx.scan(destinations, { index: 'byToken', prefix: [hashOf(token)], limit: 1 }));
  return found.items.length > 0;
};

/** Whoever holds the token gets what is sent to the URL: the destination is ENABLED. Fails with InvalidRequestException. */
export async function confirmDestination(
  { store, clock }: Pick<DestinationOptions, 'store' | 'clock'>,
  token: string,
): Promise<void> {
  await store.write(async (tx) => {
    const { items } = await tx.scan(destinations, { index: 'byToken', prefix: [hashOf(token)], limit: 1 });
    const [known] = items;
    if (known === undefined || known.status !== 'IN_PROGRESS' || isOverdue(known, clock.now()))
      return bad('The confirmation token is not valid any more');
    const { statusReason: _, ...rest } = known;
    const confirmed: DestinationRecord = { ...rest, status: 'ENABLED', confirmed: true, lastUpdatedAt: clock.now() };
    await tx.put(destinations, confirmed);
  });
}
