/** Authentication of a CONNECT, and what the client is with the answer. */
import { LIMITS } from '@thingkeep/wire/limits.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import type { Admission } from '../../contract.ts';
import type { AccountSpace } from '../../routing/account.ts';
import { Client } from '../client.ts';
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
  if (answer.isGuest === true && !isFree(account, connect.clientId, answer)) {
    const { accountId, principal } = answer;
    const { region } = account.place;
    refuseConnect(client, REASON.NOT_AUTHORIZED, { check: 'take-over', reason: TAKEN, accountId, region, principal });
    return undefined;
  }
  return { ...valid, admission: answer, account, keepAlive: clampKeepAlive(connect.keepAlive) };
}

const TAKEN =
  'a temporary provisioning claim takes no client id from a client of another principal that is connected: connect with another one';

/** Whether no client of another principal has the client id. */
function isFree({ clients }: AccountSpace, clientId: string, { principal }: Admission): boolean {
  const holder = clients.get(clientId) ?? clients.claimOf(clientId)?.client;
  return !(holder instanceof Client) || holder.identity.principal === principal;
}

/** AWS serves 30 to 1200 seconds; 0 means the most (General Reference, keep-alive quota). */
const clampKeepAlive = (seconds: number): number =>
  seconds === 0 ? LIMITS.keepAliveMost : Math.min(Math.max(seconds, LIMITS.keepAliveLeast), LIMITS.keepAliveMost);
