/**
 * What is set beside code and configuration: concurrency, asynchronous invocation; and what Terraform and the console ask for
 * that has one answer here. Source: Lambda API reference.
 */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { LambdaOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction } from '../../store/contract.ts';
import { lambdaRegion } from '../function-name.ts';
import { LARGEST_ARCHIVE, LARGEST_UNPACKED } from '../code/archive.ts';
import { readName, readUnqualified } from './names.ts';
import { MAX_CODE_BYTES } from './functions.operations.ts';
import type { HostedOptions } from './options.ts';
import { getFunction, findVersion } from './records.ts';
import {
  eventInvokeOf,
  type EventInvokeSettings,
  type FunctionRecord,
  functionArn,
  functions,
  LATEST,
  versions,
} from './store.ts';

type Operations =
  | 'PutFunctionConcurrency'
  | 'GetFunctionConcurrency'
  | 'DeleteFunctionConcurrency'
  | 'PutFunctionEventInvokeConfig'
  | 'UpdateFunctionEventInvokeConfig'
  | 'GetFunctionEventInvokeConfig'
  | 'DeleteFunctionEventInvokeConfig'
  | 'ListFunctionEventInvokeConfigs'
  | 'GetAccountSettings'
  | 'GetFunctionCodeSigningConfig'
  | 'GetFunctionRecursionConfig'
  | 'GetRuntimeManagementConfig';

type EventInvokeInput = LambdaOperations['PutFunctionEventInvokeConfig']['input'];

/** Events that other functions always have room for. */
const LEAST_UNRESERVED = 1;

function describeEventInvoke(place: Place, name: string, qualifier: string, settings: EventInvokeSettings) {
  const { retries, maximumAge, onSuccess, onFailure, modifiedAt } = settings;
  return {
    FunctionArn: functionArn(place, name, qualifier),
    LastModified: new Date(modifiedAt),
    MaximumRetryAttempts: retries,
    MaximumEventAgeInSeconds: maximumAge,
    DestinationConfig: {
      OnSuccess: onSuccess === undefined ? {} : { Destination: onSuccess },
      OnFailure: onFailure === undefined ? {} : { Destination: onFailure },
    },
  };
}

/** Fails with InvalidParameterValueException for a destination that is no function of the region. */
function checkDestinations(
  { OnSuccess, OnFailure }: NonNullable<EventInvokeInput['DestinationConfig']>,
  { region }: Place,
): void {
  const [success = '', failure = ''] = [OnSuccess?.Destination, OnFailure?.Destination];
  for (const target of [success, failure])
    if (target !== '' && lambdaRegion(target) !== region)
      fail(
        'InvalidParameterValueException',
        `The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=${success}), onFailure=OnFailure(destination=${failure})) is invalid. ` +
          'A destination can only be a function of this region here.',
      );
}

const destination = (given: { Destination?: string | undefined } | undefined): string | undefined =>
  given?.Destination === '' ? undefined : given?.Destination;

function settingsAfter(
  input: EventInvokeInput,
  before: EventInvokeSettings | undefined,
  place: Place,
  now: number,
): EventInvokeSettings {
  const { MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig } = input;
  if (DestinationConfig !== undefined) checkDestinations(DestinationConfig, place);
  const retries = MaximumRetryAttempts ?? before?.retries;
  const maximumAge = MaximumEventAgeInSeconds ?? before?.maximumAge;
  const onSuccess = DestinationConfig === undefined ? before?.onSuccess : destination(DestinationConfig.OnSuccess);
  const onFailure = DestinationConfig === undefined ? before?.onFailure : destination(DestinationConfig.OnFailure);
  return {
    modifiedAt: now,
    retries,
    maximumAge,
    onSuccess,
    onFailure,
  };
}

const noEventInvoke = (place: Place, name: string, qualifier: string): never =>
  fail('ResourceNotFoundException', `The function ${functionArn(place, name, qualifier)} doesn't have an EventInvokeConfig`);

export function functionSettingOperations(options: HostedOptions): Handlers<Pick<LambdaOperations, Operations>> {
  const { store, clock, concurrency, host } = options;

  async function reservedByOthers(tx: ReadTransaction, { accountId, name }: FunctionRecord): Promise<number> {
    const { items } = await tx.scan(functions, { skipDamaged: true, prefix: [accountId] });
    return items.reduce((sum, each) => sum + (each.name === name ? 0 : (each.reservedConcurrency ?? 0)), 0);
  }

  async function changeEventInvoke(input: EventInvokeInput, caller: Caller, keep: boolean) {
    const { name, qualifier = LATEST } = readName(input.FunctionName ?? '', caller, input.Qualifier);
    return store.write(async (tx) => {
      const { record } = await findVersion(tx, caller, { name, qualifier });
      const before = eventInvokeOf(record, qualifier);
      if (keep && before === undefined) noEventInvoke(caller, name, qualifier);
      const settings = settingsAfter(input, keep ? before : undefined, caller, clock.now());
      await tx.put(functions, { ...record, eventInvoke: { ...record.eventInvoke, [qualifier]: settings } });
      return describeEventInvoke(caller, name, qualifier, settings);
    });
  }

  const known = async (text: string | undefined, caller: Caller, qualifier?: string): Promise<string> => {
    const name = readName(text ?? '', caller, qualifier);
    await store.read((tx) => findVersion(tx, caller, name));
    return name.name;
  };

  return {
    async PutFunctionConcurrency({ FunctionName = '', ReservedConcurrentExecutions: reserved = 0 }, caller) {
      const name = readUnqualified(FunctionName, caller);
      const queue = await store.write(async (tx) => {
        const record = await getFunction(tx, caller, name);
        if (reserved + (await reservedByOthers(tx, record)) > concurrency - LEAST_UNRESERVED)
          fail(
            'InvalidParameterValueException',
            `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${LEAST_UNRESERVED}].`,
          );
        await tx.put(functions, { ...record, reservedConcurrency: reserved });
        return record.queue;
      });
      host.queue.wake(queue, true);
      return { ReservedConcurrentExecutions: reserved };
    },

    async GetFunctionConcurrency({ FunctionName = '' }, caller) {
      const name = readUnqualified(FunctionName, caller);
      const { reservedConcurrency } = await store.read((tx) => getFunction(tx, caller, name));
      return { ReservedConcurrentExecutions: reservedConcurrency };
    },

    async DeleteFunctionConcurrency({ FunctionName = '' }, caller) {
      const name = readUnqualified(FunctionName, caller);
      const queue = await store.write(async (tx) => {
        const { reservedConcurrency: _gone, ...record } = await getFunction(tx, caller, name);
        await tx.put(functions, record);
        return record.queue;
      });
      host.queue.wake(queue, true);
      return {};
    },

    PutFunctionEventInvokeConfig: (input, caller) => changeEventInvoke(input, caller, false),
    UpdateFunctionEventInvokeConfig: (input, caller) => changeEventInvoke(input, caller, true),

    async GetFunctionEventInvokeConfig({ FunctionName = '', Qualifier }, caller) {
      const { name, qualifier = LATEST } = readName(FunctionName, caller, Qualifier);
      const { record } = await store.read((tx) => findVersion(tx, caller, { name, qualifier }));
      const settings = eventInvokeOf(record, qualifier) ?? noEventInvoke(caller, name, qualifier);
      return describeEventInvoke(caller, name, qualifier, settings);
    },

    async DeleteFunctionEventInvokeConfig({ FunctionName = '', Qualifier }, caller) {
      const { name, qualifier = LATEST } = readName(FunctionName, caller, Qualifier);
      await store.write(async (tx) => {
        const { record } = await findVersion(tx, caller, { name, qualifier });
        if (eventInvokeOf(record, qualifier) === undefined) noEventInvoke(caller, name, qualifier);
        const { [qualifier]: _gone, ...eventInvoke } = record.eventInvoke;
        await tx.put(functions, { ...record, eventInvoke });
      });
      return {};
    },

    async ListFunctionEventInvokeConfigs({ FunctionName = '' }, caller) {
      const name = readUnqualified(FunctionName, caller);
      const { eventInvoke } = await store.read((tx) => getFunction(tx, caller, name));
      return {
        FunctionEventInvokeConfigs: Object.entries(eventInvoke).map(([qualifier, settings]) =>
          describeEventInvoke(caller, name, qualifier, settings),
        ),
      };
    },

    async GetAccountSettings(_input, caller) {
      return store.read(async (tx) => {
        const { items } = await tx.scan(functions, { skipDamaged: true, prefix: [caller.accountId] });
        const published = (await tx.scan(versions, { skipDamaged: true, prefix: [caller.accountId] })).items;
        const codeSize = [...items.map(({ latest }) => latest), ...published.map(({ settings }) => settings)];
        const reserved = items.reduce((sum, each) => sum + (each.reservedConcurrency ?? 0), 0);
        return {
          AccountLimit: {
            TotalCodeSize: MAX_CODE_BYTES,
            CodeSizeUnzipped: LARGEST_UNPACKED,
            CodeSizeZipped: LARGEST_ARCHIVE,
            ConcurrentExecutions: concurrency,
            UnreservedConcurrentExecutions: concurrency - reserved,
          },
          AccountUsage: { TotalCodeSize: codeSize.reduce((sum, each) => sum + each.codeSize, 0), FunctionCount: items.length },
        };
      });
    },

    async GetFunctionCodeSigningConfig({ FunctionName }, caller) {
      return { FunctionName: await known(FunctionName, caller), CodeSigningConfigArn: undefined };
    },

    async GetFunctionRecursionConfig({ FunctionName }, caller) {
      await known(FunctionName, caller);
      return { RecursiveLoop: 'Allow' };
    },

    async GetRuntimeManagementConfig({ FunctionName, Qualifier }, caller) {
      const name = await known(FunctionName, caller, Qualifier);
      return { UpdateRuntimeOn: 'Auto', FunctionArn: functionArn(caller, name), RuntimeVersionArn: undefined };
    },
  };
}
