/** Several interceptors of one topic as one. */
import { NOTHING_PENDING, type TopicInterceptor } from '../messaging.ts';

/** Each interceptor sees every message. */
export function combineInterceptors(all: readonly TopicInterceptor[]): TopicInterceptor | undefined {
  if (all.length < 2) return all[0];
  return {
    weight: all.reduce((sum, { weight }) => sum + weight, 0),
    take: (batch, origin, waiter) => {
      let pending = NOTHING_PENDING;
      for (const each of all) pending = pending.and(each.take(batch, origin, waiter));
      return pending;
    },
  };
}
