/**
 * Hosted functions as those who call them see them: found by their ARN, authorized by their resource policy, run in a process of
 * the pool, now or later.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { parseArn, type Place } from '@thingkeep/wire/arn.ts';
import { fail, ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Store } from '../../store/contract.ts';
import { FunctionError, type InvokedAs, type InvokeOptions } from '../contract.ts';
import type { FunctionCalls, FunctionResult } from '../function-figures.ts';
import { CodeFault } from '../code/code-store.ts';
import type { HostedFunctions } from '../invoke.ts';
import { type Deployable, type Pool, ConcurrencyExceeded } from '../sandbox/pool.ts';
import type { InvocationResult } from '../sandbox/sandbox.ts';
import { logGroupOf } from './description.ts';
import { destinationRecord } from './destination.ts';
import { type FunctionName, notFound, readName } from './names.ts';
import { mayInvoke } from './permission.ts';
import { type Attempt, EventQueue, type WaitingEvent } from './queue.ts';
import { findVersion, type FoundVersion } from './records.ts';
import { eventInvokeOf, functions, LATEST } from './store.ts';
import { deadlineSignal } from '../../runtime/deadline.ts';

export interface HostOptions {
  readonly inRegion: (region: string) => Store;
  readonly regions: () => Promise<readonly string[]>;
  readonly pool: Pool;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether a role lets its sessions invoke a function. */
  readonly roleMayInvoke: (accountId: string, roleArn: string, functionArn: string) => Promise<boolean>;
  /** Events for later that may be under way at a time. */
  readonly mostLater: number;
  readonly calls: FunctionCalls;
}

export interface Ran extends InvocationResult {
  readonly version: string;
}

/** Lambda quotas: bytes of an event, now and for later. */
export const LARGEST_EVENT = 6_291_456;
export const LARGEST_LATER_EVENT = 1024 * 1024;

/** Page invocation-async-error-handling: two more tries, after one minute and two; events live for six hours. */
const RETRIES = 2;
const RETRY_AFTER = [60_000, 120_000];
const MAXIMUM_AGE = 6 * 3600;
/** Milliseconds before an event that found no room is tried again: doubled each time. */
const THROTTLED_FIRST = 1_000;
const MAX_THROTTLED = 5 * 60_000;

interface RunOptions {
  readonly requestId: string;
  readonly signal?: AbortSignal;
  readonly clientContext?: string;
}

/** What came of an event, and who is to hear of it: the function's own role has to let it. */
interface ResultDelivery {
  readonly place: Place;
  readonly role: string;
  readonly target: string | undefined;
  readonly event: WaitingEvent;
  readonly payload: Uint8Array;
  readonly condition: string;
  readonly ran: Ran | undefined;
}

const deployableOf = ({ region }: Place, { record, settings, version }: FoundVersion): Deployable => {
  const { runtime, handler, role, timeout, memorySize, codeSha256, environment, revisionId, shown } = settings;
  return {
    accountId: record.accountId,
    region,
    name: record.name,
    version,
    revision: `${version}/${revisionId}`,
    runtime,
    handler,
    role,
    timeout,
    memorySize,
    codeSha256,
    variables: environment,
    logGroup: logGroupOf(record.name, shown),
    reserved: record.reservedConcurrency,
  };
};

const placeOf = (arn: string): Place | undefined => {
  const { service, region = '', account: accountId = '' } = parseArn(arn) ?? {};
  return service === 'lambda' ? { region, accountId } : undefined;
};

export class FunctionHost implements HostedFunctions {
  readonly #options: HostOptions;
  readonly queue: EventQueue;

  constructor(options: HostOptions) {
    this.#options = options;
    this.queue = new EventQueue({ ...options, most: options.mostLater, attempt: this.#attempt.bind(this) });
  }

  async has(arn: string): Promise<boolean> {
    const place = placeOf(arn);
    // A name that no function can have here may be one of another host's.
    const [, name] = /:function:([\w-]{1,64})(?::[^:]*)?$/.exec(arn) ?? [];
    if (place === undefined || name === undefined) return false;
    return (await this.#store(place).read((tx) => tx.get(functions, [place.accountId, name]))) !== undefined;
  }

  async invoke(arn: string, payload: Uint8Array, { as, timeoutMs, signal }: InvokeOptions): Promise<Uint8Array> {
    const found = await this.#found(arn, as);
    const { signal: late, end } = deadlineSignal(timeoutMs);
    const ends = signal === undefined ? late : AbortSignal.any([late, signal]);
    const run = { requestId: randomUUID(), signal: ends };
    const result = await this.#guarded(() => this.#run(found, payload, run)).finally(end);
    if (late.aborted && result.failed) throw new FunctionError('timeout', `it did not answer within ${timeoutMs / 1000} seconds`);
    if (result.failed) throw new FunctionError('failed', `it ended with an error (${errorType(result)})`);
    return result.payload;
  }

  async invokeLater(arn: string, payload: Uint8Array, as?: InvokedAs): Promise<void> {
    const { place, name } = await this.#found(arn, as);
    if (payload.length > LARGEST_LATER_EVENT) throw new FunctionError('failed', 'the event is too large to wait for it');
    await this.#guarded(() => this.later(place, name, payload));
  }

  /** Runs a function for the API. Fails with codes that Invoke declares. */
  async now(place: Place, name: FunctionName, payload: Uint8Array, options: RunOptions): Promise<Ran> {
    return this.#run({ place, name }, payload, options);
  }

  /** Queues an event; gives its request id. Fails with ResourceNotFoundException, or TooManyRequestsException. */
  async later(place: Place, name: FunctionName, payload: Uint8Array, requestId: string = randomUUID()): Promise<void> {
    const { record } = await this.#store(place).read((tx) => findVersion(tx, place, name));
    const now = this.#options.clock.now();
    const event: WaitingEvent = {
      accountId: place.accountId,
      name: record.name,
      requestId,
      acceptedAt: now,
      notBefore: now,
      qualifier: name.qualifier,
      failures: 0,
      throttles: 0,
    };
    if (!(await this.queue.add(place.region, record.queue, event, payload)))
      fail('TooManyRequestsException', 'Rate Exceeded.', { Reason: 'ConcurrentInvocationLimitExceeded' });
  }

  #store({ region }: Place): Store {
    return this.#options.inRegion(region);
  }

  async #found(arn: string, as: InvokedAs | undefined): Promise<{ place: Place; name: FunctionName }> {
    const place = placeOf(arn) ?? notFound(arn);
    return this.#guarded(async () => {
      const name = readName(arn, place);
      const { record } = await this.#store(place).read((tx) => findVersion(tx, place, name));
      if (as !== undefined && !mayInvoke(record, name.qualifier, as))
        throw new FunctionError(
          'failed',
          `its resource policy does not let ${as.service} invoke it${as.sourceArn === undefined ? '' : ` for ${as.sourceArn}`}: ` +
            `aws lambda add-permission --function-name ${arn} --statement-id ID --action lambda:InvokeFunction --principal ${as.service}` +
            `${as.sourceArn === undefined ? '' : ` --source-arn ${as.sourceArn}`}`,
        );
      return { place, name };
    });
  }

  /** Errors of the API in the words of those who call functions. */
  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ThingkeepError)) throw error;
      const fault = error.code === 'TooManyRequestsException' ? 'overload' : 'unavailable';
      throw new FunctionError(fault, error.message, error);
    }
  }

  #run(what: { place: Place; name: FunctionName }, payload: Uint8Array, options: RunOptions): Promise<Ran> {
    return this.#options.calls.count(() => this.#runNow(what, payload, options), resultOf, faultOf);
  }

  async #runNow({ place, name }: { place: Place; name: FunctionName }, payload: Uint8Array, options: RunOptions): Promise<Ran> {
    const chance = randomInt(2 ** 32) / 2 ** 32;
    const found = await this.#store(place).read((tx) => findVersion(tx, place, name, chance));
    try {
      const result = await this.#options.pool.invoke(deployableOf(place, found), {
        ...options,
        payload: payload.length === 0 ? Buffer.from('{}') : payload,
        functionArn: found.arn,
      });
      return { ...result, version: found.version };
    } catch (error) {
      if (error instanceof ConcurrencyExceeded)
        return fail('TooManyRequestsException', 'Rate Exceeded.', {
          Reason: error.reserved ? 'ReservedFunctionConcurrentInvocationLimitExceeded' : 'ConcurrentInvocationLimitExceeded',
        });
      if (error instanceof CodeFault) return codeFault(this.#options.log, error, found.arn);
      this.#options.log.error({ err: error, function: found.arn }, 'a function could not be started');
      return fail('ServiceException', 'The function could not be started. The log of the server says why.', {}, error);
    }
  }

  async #attempt(place: Place, event: WaitingEvent, payload: Uint8Array): Promise<Attempt> {
    const { clock } = this.#options;
    const found = await this.#store(place)
      .read((tx) => findVersion(tx, place, event))
      .catch(missing);
    if (found === undefined) return 'done';
    const settings = eventInvokeOf(found.record, event.qualifier ?? LATEST) ?? { modifiedAt: 0 };
    const tooOld = (at: number): boolean => at - event.acceptedAt > (settings.maximumAge ?? MAXIMUM_AGE) * 1000;
    const give = async (target: string | undefined, condition: string, ran?: Ran): Promise<'done'> => {
      await this.#deliver({ place, role: found.settings.role, target, event, payload, condition, ran });
      return 'done';
    };
    if (tooOld(clock.now())) return give(settings.onFailure, 'EventAgeExceeded');
    try {
      const ran = await this.#run({ place, name: event }, payload, { requestId: event.requestId });
      if (!ran.failed) return give(settings.onSuccess, 'Success', ran);
      const failures = event.failures + 1;
      if (failures > (settings.retries ?? RETRIES)) return give(settings.onFailure, 'RetriesExhausted', ran);
      return { failures, throttles: 0, notBefore: clock.now() + (RETRY_AFTER[failures - 1] ?? 120_000) };
    } catch (error) {
      if (!(error instanceof ThingkeepError)) throw error;
      const { throttles, failures } = event;
      const wait = Math.min(THROTTLED_FIRST * 2 ** throttles, MAX_THROTTLED);
      return { failures, throttles: throttles + 1, notBefore: clock.now() + wait };
    }
  }

  /** Hands a record of what came of an event to the function that is to hear of it. */
  async #deliver({ place, role, target, event, payload, condition, ran }: ResultDelivery): Promise<void> {
    const { clock, log } = this.#options;
    if (condition !== 'Success')
      log.warn(
        { event: 'function-event-dropped', function: event.name, requestId: event.requestId, condition },
        'an event for a function was given up',
      );
    if (target === undefined) return;
    const record = destinationRecord(place, event, payload, {
      condition,
      now: clock.now(),
      ran,
    });
    try {
      if (!(await this.#options.roleMayInvoke(place.accountId, role, target)))
        fail('AccessDeniedException', `The role ${role} does not allow lambda:InvokeFunction on it`);
      await this.later(place, readName(target, place), Buffer.from(JSON.stringify(record)));
    } catch (error) {
      log.warn({ err: error, destination: target, function: event.name }, "a function's destination could not be told");
    }
  }
}

const resultOf = (ran: Ran): FunctionResult => (!ran.failed ? 'ok' : errorType(ran) === 'timed out' ? 'timeout' : 'failed');

const faultOf = (error: unknown): FunctionResult =>
  error instanceof ThingkeepError && error.code === 'TooManyRequestsException' ? 'overload' : 'unavailable';

/** Fails with a message for the caller; the log names the archive for the operator. */
export function codeFault(log: Pick<Logger, 'error'>, fault: CodeFault, functionArn?: string): never {
  log.error({ event: 'function-code-damaged', file: fault.file, function: functionArn }, fault.message);
  return fail('ServiceException', fault.message, {}, fault);
}

const missing = (error: unknown): undefined => {
  if (error instanceof ThingkeepError && error.code === 'ResourceNotFoundException') return undefined;
  throw error;
};

/** The type in a function's error, for its owner; the message may hold what the event held. */
function errorType({ payload }: InvocationResult): string {
  try {
    const { errorType: type, errorMessage } = JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>;
    return typeof type === 'string'
      ? type.slice(0, 64)
      : typeof errorMessage === 'string' && / timed out after /.test(errorMessage)
        ? 'timed out'
        : 'Unhandled';
  } catch {
    return 'Unhandled';
  }
}
