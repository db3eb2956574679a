/** Whether a certificate still stands behind what was done with it: sessions do not outlive its revocation or deletion. */
import { findCertificate } from '../../registry/admission.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Store } from '../../store/contract.ts';

export interface StandingOptions {
  readonly regions: () => Promise<readonly string[]>;
  readonly inRegion: (region: string) => Store;
  readonly log: Logger;
}

/** A function that says whether a certificate is registered somewhere and not revoked. One that is INACTIVE may come back. */
export function standing({ regions, inRegion, log }: StandingOptions): (certificateId: string) => Promise<boolean> {
  return async (certificateId) => {
    try {
      for (const region of await regions()) {
        const records = await inRegion(region).read((tx) => findCertificate(tx, certificateId));
        if (records.some(({ status }) => status !== 'REVOKED')) return true;
      }
      return false;
    } catch (error) {
      // Who connects next is judged before it gets the session's messages: nothing is given away by waiting.
      log.error({ err: error, certificateId }, 'the sessions of a certificate could not be judged');
      return true;
    }
  };
}
