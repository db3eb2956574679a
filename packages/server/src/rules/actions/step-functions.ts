/** The stepFunctions action: StartExecution (developer guide, page stepfunctions-rule-action). */
import type { Place } from '@thingkeep/wire/arn.ts';
import { asking } from './aws-clients.ts';
import type { ActionType, ParametersOf } from './contract.ts';
import { serviceArn } from './role.ts';

const stateMachineArnOf = (name: string | undefined, place: Place): string => serviceArn('states', place, 'stateMachine:', name);

export const stepFunctions: ActionType<ParametersOf<'stepFunctions'>> = {
  name: 'StepFunctionsAction',
  resource: ({ stateMachineName = '' }) => stateMachineName,
  permissions: ({ parameters }, place) => [
    { action: 'states:StartExecution', resource: stateMachineArnOf(parameters.stateMachineName, place) },
  ],
  run: ([{ id, parameters, payload }], { aws, place, role, signal }) =>
    asking(async () => {
      const { SFNClient, StartExecutionCommand } = await import('@aws-sdk/client-sfn');
      const client = aws.client({ place, role }, 'states', (config) => new SFNClient(config));
      const { stateMachineName, executionNamePrefix } = parameters;
      const stateMachineArn = stateMachineArnOf(stateMachineName, place);
      // The same name when it is tried again: an execution begins once.
      const name = executionNamePrefix ? `${executionNamePrefix}-${id}` : id;
      await client.send(new StartExecutionCommand({ stateMachineArn, name, input: payload.toString('utf8') }), {
        abortSignal: signal,
      });
    }),
};
