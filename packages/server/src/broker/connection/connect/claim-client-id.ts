/** The client becomes who its CONNECT says, and the one connection of its client id. */
import { Client } from '../client.ts';
import { ConnectionThrottle } from '../connection-throttle.ts';
import type { AdmittedConnect } from './connect-attempt.ts';
import { reportTakeOver } from './report-take-over.ts';

/**
 * Admits the client and claims its client id; the connection that has it makes way. A promise only where there is something
 * to wait for: meanwhile the client may have gone, and others may have taken what room there was.
 */
export function claimClientId({ client, connect, account, admission, keepAlive }: AdmittedConnect): Promise<void> | undefined {
  const { claims, rateLimited, repeats } = client.broker;
  const throttle = account.throttle === undefined ? undefined : new ConnectionThrottle(account.throttle, client, rateLimited);
  const { clientId } = connect;
  const before = account.clients.get(clientId) ?? account.clients.claimOf(clientId)?.client;
  if (before instanceof Client) reportTakeOver(before, { client, account, admission }, repeats.takeOver);
  client.admitted({ admission, account, connect, keepAlive, throttle });
  return claims.claim(client, account);
}
