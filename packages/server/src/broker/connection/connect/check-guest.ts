/** What a client that is let in for a while may not: have a client id that is another's. */
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { Client } from '../client.ts';
import type { AdmittedConnect } from './connect-attempt.ts';
import { refuseConnect } from './refuse-connect.ts';

const TAKEN =
  'a temporary provisioning claim takes no client id that another principal is connected with or has a session for: connect with another one';

/**
 * Whether the client is no guest, or no other principal has the client id, be it connected or away: a guest neither ends nor
 * resumes the session of a device. Refuses the CONNECT otherwise.
 */
export function checkGuest({ client, connect: { clientId }, account, admission }: AdmittedConnect): boolean {
  if (admission.isGuest !== true) return true;
  const { clients, sessions, place } = account;
  const { accountId, principal } = admission;
  const holder = clients.get(clientId) ?? clients.claimOf(clientId)?.client;
  const owners = [holder instanceof Client ? holder.identity.principal : undefined, sessions.get(clientId)?.principal];
  if (owners.every((owner) => owner === undefined || owner === principal)) return true;
  const { region } = place;
  refuseConnect(client, REASON.NOT_AUTHORIZED, { check: 'take-over', reason: TAKEN, accountId, region, principal });
  return false;
}
