/** The shadow `$package`, as software packages have it written: an update like that of a device. */
import { PACKAGE_SHADOW, type PackageShadows } from '../software-packages/package-reports.ts';
import { ShadowRejection } from './rejections.ts';
import { type PublishingMessaging, publishedUpdate } from './shadow-messages.ts';
import type { Shadows } from './shadows.ts';

export interface PackageShadowDeps {
  readonly shadows: Pick<Shadows, 'update'>;
  readonly messaging: PublishingMessaging;
}

/** Codes of rejections that may be over the next time: too many requests or shadows, a disk that is full. */
const TEMPORARY: ReadonlySet<number> = new Set([429, 500, 503]);

export const openPackageShadows = (deps: PackageShadowDeps): PackageShadows => ({
  async report(place, thingName, reported) {
    const address = { place, thingName, shadowName: PACKAGE_SHADOW };
    try {
      await publishedUpdate(deps, address, Buffer.from(JSON.stringify({ state: { reported } })));
      return undefined;
    } catch (error) {
      if (error instanceof ShadowRejection && !TEMPORARY.has(error.code)) return error.message;
      throw error;
    }
  },
});
