/** The cloudwatchAlarm action: SetAlarmState (developer guide, page cloudwatch-alarms-rule-action). */
import { fail } from '@thingkeep/wire/errors.ts';
import { asking } from './aws-clients.ts';
import type { ActionType, ParametersOf } from './contract.ts';
import { serviceArn } from './role.ts';

const STATES = ['OK', 'ALARM', 'INSUFFICIENT_DATA'];

export const cloudwatchAlarm: ActionType<ParametersOf<'cloudwatchAlarm'>> = {
  name: 'CloudwatchAlarmAction',
  resource: ({ alarmName = '' }) => alarmName,
  permissions: ({ parameters }, place) => [
    { action: 'cloudwatch:SetAlarmState', resource: serviceArn('cloudwatch', place, 'alarm:', parameters.alarmName) },
  ],
  check({ stateValue = '' }) {
    if (!stateValue.includes('${') && !STATES.includes(stateValue))
      fail('InvalidRequestException', `The stateValue ${stateValue} is none of ${STATES.join(', ')}`);
  },
  run: ([{ parameters }], { aws, place, role, signal }) =>
    asking(async () => {
      const { CloudWatchClient, SetAlarmStateCommand } = await import('@aws-sdk/client-cloudwatch');
      const client = aws.client({ place, role }, 'monitoring', (config) => new CloudWatchClient(config));
      const { alarmName, stateReason, stateValue } = parameters;
      const state = { AlarmName: alarmName, StateReason: stateReason, StateValue: stateValue as 'OK' };
      await client.send(new SetAlarmStateCommand(state), { abortSignal: signal });
    }),
};
