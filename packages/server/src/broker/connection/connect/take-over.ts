/** The client becomes who its CONNECT says, and the one connection of its client id. */
import { ConnectionThrottle } from '../connection-throttle.ts';
import type { AdmittedConnect } from './connect-attempt.ts';

/** Admits the client; a connection of the same client id makes way for it. */
export function takeOver({ client, connect, account, admission, keepAlive }: AdmittedConnect): void {
  const { broker } = client;
  const throttle =
    account.throttle === undefined ? undefined : new ConnectionThrottle(account.throttle, client, broker.rateLimited);
  client.admitted({ admission, account, connect, keepAlive, throttle });
  broker.takeOver(client, account);
}
