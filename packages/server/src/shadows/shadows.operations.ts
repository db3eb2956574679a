/** The shadows' part of the data plane API (developer guide, page device-shadow-rest-api). */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotDataOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Messaging } from '../broker/messaging.ts';
import type { Clock } from '../runtime/clock.ts';
import { ERROR_CODES, ShadowRejection } from './rejections.ts';
import { publishedDeletion, publishedUpdate } from './shadow-messages.ts';
import type { ShadowAddress, Shadows } from './shadows.ts';

interface OperationDeps {
  readonly shadows: Shadows;
  readonly messaging: Pick<Messaging, 'publish' | 'stored' | 'hasReceivers'>;
  readonly clock: Clock;
}

type Served = 'GetThingShadow' | 'UpdateThingShadow' | 'DeleteThingShadow' | 'ListNamedShadowsForThing';

interface ShadowInput {
  readonly thingName: string | undefined;
  readonly shadowName?: string | undefined;
}

const addressOf = ({ thingName = '', shadowName }: ShadowInput, { accountId, region }: Caller): ShadowAddress => ({
  place: { accountId, region },
  thingName,
  shadowName,
});

/** A rejection as the error of the API. */
async function orFail<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ShadowRejection)) throw error;
    return fail(ERROR_CODES.get(error.code) ?? 'InternalFailureException', error.message);
  }
}

const DEFAULT_PAGE = 25;

export const shadowOperations = ({ shadows, messaging, clock }: OperationDeps): Handlers<Pick<IotDataOperations, Served>> => ({
  async GetThingShadow(input, caller) {
    return { payload: Buffer.from(await orFail(shadows.get(addressOf(input, caller)))) };
  },

  async UpdateThingShadow(input, caller) {
    const address = addressOf(input, caller);
    const messages = await orFail(publishedUpdate({ shadows, messaging }, address, Buffer.from(input.payload ?? [])));
    return { payload: Buffer.from(messages.accepted) };
  },

  async DeleteThingShadow(input, caller) {
    const address = addressOf(input, caller);
    return { payload: Buffer.from(await orFail(publishedDeletion({ shadows, messaging }, address))) };
  },

  async ListNamedShadowsForThing({ thingName = '', nextToken, pageSize = DEFAULT_PAGE }, { accountId, region }) {
    const { names, next } = await shadows.list(
      { place: { accountId, region }, thingName },
      { limit: pageSize, after: nextToken },
    );
    return { results: names, nextToken: next, timestamp: Math.floor(clock.now() / 1000) };
  },
});
