/** The stepFunctions action: StartExecution (developer guide, page stepfunctions-rule-action). */
import { asking } from './aws-clients.ts';
import type { ActionType, ParametersOf } from './contract.ts';

export const stepFunctions: ActionType<ParametersOf<'stepFunctions'>> = {
  name: 'StepFunctionsAction',
  resource: ({ stateMachineName = '' }) => stateMachineName,
  run: ([{ id, parameters, payload }], { aws, place, signal }) =>
    asking(async () => {
      const { SFNClient, StartExecutionCommand } = await import('@aws-sdk/client-sfn');
      const client = aws.client(place, 'states', (config) => new SFNClient(config));
      const { stateMachineName, executionNamePrefix } = parameters;
      const stateMachineArn = `arn:aws:states:${place.region}:${place.accountId}:stateMachine:${stateMachineName}`;
      // The same name when it is tried again: an execution begins once.
      const name = executionNamePrefix ? `${executionNamePrefix}-${id}` : id;
      await client.send(new StartExecutionCommand({ stateMachineArn, name, input: payload.toString('utf8') }), {
        abortSignal: signal,
      });
    }),
};
