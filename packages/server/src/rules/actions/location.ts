/** The location action: BatchUpdateDevicePosition (developer guide, page location-rule-action). */
import { asking } from './aws-clients.ts';
import { ActionError } from './action-error.ts';
import type { ActionType, ParametersOf } from './contract.ts';
import { serviceArn } from './role.ts';
import { numberOf } from './json-payload.ts';

/** Milliseconds of each unit. */
const UNITS: Readonly<Record<string, number>> = { SECONDS: 1000, MILLISECONDS: 1, MICROSECONDS: 1e-3, NANOSECONDS: 1e-6 };

export const location: ActionType<ParametersOf<'location'>> = {
  name: 'LocationAction',
  resource: ({ trackerName = '' }) => trackerName,
  permissions: ({ parameters }, place) => [
    { action: 'geo:BatchUpdateDevicePosition', resource: serviceArn('geo', place, 'tracker/', parameters.trackerName) },
  ],
  run: ([{ parameters, message }], { aws, place, role, signal }) =>
    asking(async () => {
      const { BatchUpdateDevicePositionCommand, LocationClient } = await import('@aws-sdk/client-location');
      const { trackerName, deviceId, latitude = '', longitude = '', timestamp } = parameters;
      const unit = UNITS[(timestamp?.unit || 'MILLISECONDS').toUpperCase()];
      if (unit === undefined)
        throw new ActionError(`the unit of the timestamp is none of ${Object.keys(UNITS).join(', ')}`, false);
      const at = timestamp?.value ? numberOf(timestamp.value, 'timestamp') * unit : message.receivedAt;
      const update = {
        DeviceId: deviceId,
        SampleTime: new Date(at),
        Position: [numberOf(longitude, 'longitude'), numberOf(latitude, 'latitude')],
      };
      const client = aws.client({ place, role }, 'geo', (config) => new LocationClient(config));
      const answer = await client.send(new BatchUpdateDevicePositionCommand({ TrackerName: trackerName, Updates: [update] }), {
        abortSignal: signal,
      });
      const fault = answer.Errors?.[0]?.Error;
      if (fault !== undefined)
        throw new ActionError(`${fault.Code}: ${fault.Message}`, /Throttl|Internal/.test(fault.Code ?? ''));
    }),
};
