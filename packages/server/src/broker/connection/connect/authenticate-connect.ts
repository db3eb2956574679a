/** Authentication of a CONNECT, and what the client is with the answer. */
import { LIMITS } from '@thingkeep/wire/limits.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { expiryOf } from '../../routing/sessions.ts';
import type { AdmittedConnect, ValidConnect } from './connect-attempt.ts';
import { refuseConnect } from './refuse-connect.ts';

/** Asks who the client is and whether it may connect. Gives nothing when it may not, or has gone meanwhile. */
export async function authenticateConnect(valid: ValidConnect): Promise<AdmittedConnect | undefined> {
  const { client, connect } = valid;
  client.beginAdmission(connect.clientId);
  const answer = await client.permissions.authenticate(connect);
  if (client.state !== 'admitting') return undefined;
  if ('refused' in answer) {
    refuseConnect(client, answer.isSilent ? undefined : REASON.NOT_AUTHORIZED, answer.refused);
    return undefined;
  }
  const account = client.broker.account(answer.accountId, answer.region);
  const sessionExpiry = answer.isGuest === true ? 0 : expiryOf(connect, account);
  return { ...valid, admission: answer, account, keepAlive: clampKeepAlive(connect.keepAlive), sessionExpiry };
}

/** AWS serves 30 to 1200 seconds; 0 means the most (General Reference, keep-alive quota). */
const clampKeepAlive = (seconds: number): number =>
  seconds === 0 ? LIMITS.keepAliveMost : Math.min(Math.max(seconds, LIMITS.keepAliveLeast), LIMITS.keepAliveMost);
