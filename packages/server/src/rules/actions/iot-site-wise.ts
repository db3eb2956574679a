/** The iotSiteWise action: BatchPutAssetPropertyValue (developer guide, page iotsitewise-rule-action). */
import type { AssetPropertyValue, PutAssetPropertyValueEntry } from '@aws-sdk/client-iot';
import { asking } from './aws-clients.ts';
import { ActionError } from './action-error.ts';
import type { ActionType, ParametersOf } from './contract.ts';
import { serviceArn } from './role.ts';
import { numberOf } from './json-payload.ts';

/** Numbers and truth values come as texts that templates rendered. */
function variantOf({ value }: AssetPropertyValue) {
  const { stringValue, integerValue, doubleValue, booleanValue } = (value ?? {}) as Readonly<Record<string, string>>;
  return {
    stringValue,
    integerValue: integerValue === undefined ? undefined : Math.trunc(numberOf(integerValue, 'integerValue')),
    doubleValue: doubleValue === undefined ? undefined : numberOf(doubleValue, 'doubleValue'),
    booleanValue: booleanValue === undefined ? undefined : booleanValue.toLowerCase() === 'true',
  };
}

function propertyValueOf(given: AssetPropertyValue) {
  const { timeInSeconds = '', offsetInNanos } = given.timestamp ?? {};
  return {
    value: variantOf(given),
    timestamp: {
      timeInSeconds: Math.trunc(numberOf(timeInSeconds, 'timeInSeconds')),
      offsetInNanos: offsetInNanos === undefined ? undefined : Math.trunc(numberOf(offsetInNanos, 'offsetInNanos')),
    },
    quality: given.quality as 'GOOD' | undefined,
  };
}

const entryOf = (entry: PutAssetPropertyValueEntry, id: string) => {
  const { entryId, assetId, propertyId, propertyAlias, propertyValues = [] } = entry;
  return {
    entryId: entryId || id,
    assetId,
    propertyId,
    propertyAlias,
    propertyValues: propertyValues.map(propertyValueOf),
  };
};

export const iotSiteWise: ActionType<ParametersOf<'iotSiteWise'>> = {
  name: 'IotSiteWiseAction',
  resource: ({ putAssetPropertyValueEntries: [first] = [] }) => first?.propertyAlias ?? first?.propertyId ?? '',
  // An alias names a time series whose id is not known here.
  permissions: ({ parameters: { putAssetPropertyValueEntries = [] } }, place) =>
    putAssetPropertyValueEntries.map(({ assetId }) => ({
      action: 'iotsitewise:BatchPutAssetPropertyValue',
      resource: assetId ? serviceArn('iotsitewise', place, 'asset/', assetId) : '*',
    })),
  run: ([{ id, parameters }], { aws, place, role, signal }) =>
    asking(async () => {
      const { BatchPutAssetPropertyValueCommand, IoTSiteWiseClient } = await import('@aws-sdk/client-iotsitewise');
      const client = aws.client({ place, role }, 'iotsitewise', (config) => new IoTSiteWiseClient(config));
      const entries = (parameters.putAssetPropertyValueEntries ?? []).map((entry, i) => entryOf(entry, `${id}-${i}`));
      const answer = await client.send(new BatchPutAssetPropertyValueCommand({ entries }), { abortSignal: signal });
      const fault = answer.errorEntries?.[0]?.errors?.[0];
      if (fault !== undefined)
        throw new ActionError(
          `${fault.errorCode}: ${fault.errorMessage}`,
          /Throttl|Internal|Unavailable|Conflict/.test(fault.errorCode ?? ''),
        );
    }),
};
