/** Several interceptors of one topic as one. */
import type { TopicInterceptor } from '../messaging.ts';

/** Each interceptor sees every message. */
export function combineInterceptors(all: readonly TopicInterceptor[]): TopicInterceptor | undefined {
  if (all.length < 2) return all[0];
  return {
    weight: all.reduce((sum, { weight }) => sum + weight, 0),
    take: (batch, origin, waiter) => {
      let stored = false;
      for (const each of all) if (each.take(batch, origin, waiter)) stored = true;
      return stored;
    },
  };
}
