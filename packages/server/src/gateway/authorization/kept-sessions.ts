/** Sessions of a certificate while their client is away: they do not outlive its revocation or deletion. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { certificates } from '../../registry/store.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Store } from '../../store/contract.ts';

export interface KeptSessionsOptions {
  readonly inRegion: (region: string) => Store;
  readonly log: Logger;
}

/**
 * A predicate: whether a certificate is registered in the account and region and not revoked there, whatever others have
 * registered. One that is INACTIVE may become ACTIVE again.
 */
export function mayKeepSessions({
  inRegion,
  log,
}: KeptSessionsOptions): (certificateId: string, place: Place) => Promise<boolean> {
  return async (certificateId, { accountId, region }) => {
    try {
      const record = await inRegion(region).read((tx) => tx.get(certificates, [accountId, certificateId]));
      return record !== undefined && record.status !== 'REVOKED';
    } catch (error) {
      // The next CONNECT is authorized before it gets the session's messages: nothing is given away by waiting.
      log.error({ err: error, certificateId }, 'the sessions of a certificate could not be reviewed');
      return true;
    }
  };
}
