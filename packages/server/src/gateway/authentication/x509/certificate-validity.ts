/** Whether a certificate still stands behind what was done with it: sessions do not outlive its revocation or deletion. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { certificates } from '../../../registry/store.ts';
import type { Logger } from '../../../runtime/log.ts';
import type { Store } from '../../../store/contract.ts';

export interface StandingOptions {
  readonly inRegion: (region: string) => Store;
  readonly log: Logger;
}

/**
 * A function that says whether a certificate is registered in the account and region and not revoked there; what others have
 * registered says nothing. One that is INACTIVE may come back.
 */
export function standing({ inRegion, log }: StandingOptions): (certificateId: string, place: Place) => Promise<boolean> {
  return async (certificateId, { accountId, region }) => {
    try {
      const record = await inRegion(region).read((tx) => tx.get(certificates, [accountId, certificateId]));
      return record !== undefined && record.status !== 'REVOKED';
    } catch (error) {
      // Who connects next is judged before it gets the session's messages: nothing is given away by waiting.
      log.error({ err: error, certificateId }, 'the sessions of a certificate could not be judged');
      return true;
    }
  };
}
