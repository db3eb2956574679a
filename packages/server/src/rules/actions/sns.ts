/** The sns action: Publish (developer guide, page sns-rule-action). */
import { asking } from './aws-clients.ts';
import type { ActionType, ParametersOf } from './contract.ts';

export const sns: ActionType<ParametersOf<'sns'>> = {
  name: 'SnsAction',
  resource: ({ targetArn = '' }) => targetArn,
  permissions: ({ parameters: { targetArn = '' } }) => [{ action: 'sns:Publish', resource: targetArn }],
  run: ([{ parameters, payload }], { aws, place, role, signal }) =>
    asking(async () => {
      const { PublishCommand, SNSClient } = await import('@aws-sdk/client-sns');
      const client = aws.client({ place, role }, 'sns', (config) => new SNSClient(config));
      const { targetArn, messageFormat } = parameters;
      await client.send(
        new PublishCommand({
          TargetArn: targetArn,
          Message: payload.toString('utf8'),
          MessageStructure: messageFormat === 'JSON' ? 'json' : undefined,
        }),
        { abortSignal: signal },
      );
    }),
};
