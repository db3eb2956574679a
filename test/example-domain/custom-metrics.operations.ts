/** CreateCustomMetric, DescribeCustomMetric. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../../packages/server/src/runtime/clock.ts';
import type { Store } from '../../packages/server/src/store/contract.ts';
import { customMetrics } from './store.ts';

const arnOf = ({ region, accountId }: Place, name: string): string => `arn:aws:iot:${region}:${accountId}:custommetric/${name}`;

export const customMetricOperations = ({
  store,
  clock,
}: {
  readonly store: Store;
  readonly clock: Clock;
}): Handlers<Pick<IotOperations, 'CreateCustomMetric' | 'DescribeCustomMetric'>> => ({
  async CreateCustomMetric({ metricName: name = '', metricType: type = 'number' }, caller) {
    const { accountId } = caller;
    await store.write(async (tx) => {
      if ((await tx.get(customMetrics, [accountId, name])) !== undefined)
        fail('ResourceAlreadyExistsException', `The metric ${name} already exists`);
      await tx.put(customMetrics, { accountId, name, type, createdAt: clock.now() });
    });
    return { metricName: name, metricArn: arnOf(caller, name) };
  },

  async DescribeCustomMetric({ metricName: name = '' }, caller) {
    const record = await store.read((tx) => tx.get(customMetrics, [caller.accountId, name]));
    if (record === undefined) return fail('ResourceNotFoundException', `There is no metric ${name}`);
    return {
      metricName: name,
      metricArn: arnOf(caller, name),
      metricType: 'number' as const,
      creationDate: new Date(record.createdAt),
    };
  },
});
