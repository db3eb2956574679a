/** The cloudwatchMetric action: PutMetricData (developer guide, page cloudwatch-metrics-rule-action). */
import { asking } from './aws-clients.ts';
import type { ActionType, ParametersOf } from './contract.ts';
import { numberOf } from './json-payload.ts';

export const cloudwatchMetric: ActionType<ParametersOf<'cloudwatchMetric'>> = {
  name: 'CloudwatchMetricAction',
  resource: ({ metricName = '' }) => metricName,
  permissions: ({ parameters: { metricNamespace = '' } }) => [
    { action: 'cloudwatch:PutMetricData', resource: '*', keys: [['cloudwatch:namespace', metricNamespace]] },
  ],
  run: ([{ parameters, message }], { aws, place, role, signal }) =>
    asking(async () => {
      const { CloudWatchClient, PutMetricDataCommand } = await import('@aws-sdk/client-cloudwatch');
      const client = aws.client({ place, role }, 'monitoring', (config) => new CloudWatchClient(config));
      const { metricNamespace, metricName, metricValue = '', metricUnit, metricTimestamp } = parameters;
      // Seconds since the epoch; the time of the message without one.
      const at = metricTimestamp ? numberOf(metricTimestamp, 'metricTimestamp') * 1000 : message.receivedAt;
      const datum = {
        MetricName: metricName,
        Value: numberOf(metricValue, 'metricValue'),
        Timestamp: new Date(at),
        Unit: metricUnit as 'None',
      };
      await client.send(new PutMetricDataCommand({ Namespace: metricNamespace, MetricData: [datum] }), { abortSignal: signal });
    }),
};
