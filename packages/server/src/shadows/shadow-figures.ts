/** How many requests on shadows were served, by what was asked and what came of it. */

export const SHADOW_REQUESTS = ['get', 'update', 'delete'] as const;
type ShadowRequest = (typeof SHADOW_REQUESTS)[number];

export const SHADOW_RESULTS = ['accepted', 'rejected'] as const;
type Result = (typeof SHADOW_RESULTS)[number];

const none = (): Record<Result, number> => ({ accepted: 0, rejected: 0 });

export class ShadowFigures {
  readonly requests: Readonly<Record<ShadowRequest, Record<Result, number>>> = { get: none(), update: none(), delete: none() };

  /** Counts what comes of a request. */
  async counted<T>(request: ShadowRequest, work: Promise<T>): Promise<T> {
    const counts = this.requests[request];
    try {
      const result = await work;
      counts.accepted += 1;
      return result;
    } catch (error) {
      counts.rejected += 1;
      throw error;
    }
  }
}
