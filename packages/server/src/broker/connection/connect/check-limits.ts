/** Limits that a CONNECT comes under once it is known whose it is. */
import type { Refusal } from '../../../refusals/refusals.ts';
import { DISK_LOW } from '../../../runtime/disk-failure.ts';
import { reasonOf } from '../../routing/account-throttle.ts';
import type { AdmittedConnect } from './connect-attempt.ts';
import { refuseForRoom } from './refuse-connect.ts';

type Limit = Pick<Refusal, 'check' | 'reason'>;

/** Whether there is room for the connection, its will and its session. Refuses the CONNECT when there is none. */
export function checkConnectLimits(attempt: AdmittedConnect): boolean {
  return checkConnections(attempt) && checkRoomForWill(attempt) && checkRate(attempt) && checkRoomForSession(attempt);
}

/** Whether the client is still there, and room for what its connection keeps: asked after a wait. */
export function checkAgain(attempt: AdmittedConnect): boolean {
  return attempt.client.state === 'admitting' && checkRoomForWill(attempt) && checkRoomForSession(attempt);
}

/** The account's connections, those whose client id is being claimed among them. */
function checkConnections(attempt: AdmittedConnect): boolean {
  const { client, account } = attempt;
  const { clients, limits } = account;
  if (clients.size < limits.connections || clients.has(client.clientId)) return true;
  return refuse(attempt, { check: 'limit', reason: `more than ${limits.connections} connections of the account` });
}

/** The memory for the wills of all connections. */
function checkRoomForWill(attempt: AdmittedConnect): boolean {
  const { client, connect } = attempt;
  if (client.broker.wills.fits(connect.will)) return true;
  return refuse(attempt, { check: 'limit', reason: 'the wills of all connections take the memory that there is for them' });
}

/** The account's rate of CONNECTs. */
function checkRate(attempt: AdmittedConnect): boolean {
  const { broker, clientId } = attempt.client;
  const { throttle } = attempt.account;
  if (throttle === undefined || throttle.mayConnect(clientId)) return true;
  broker.counters.throttled += 1;
  return refuse(attempt, throttle.records('connect', clientId) ? { check: 'rate', reason: reasonOf('connect') } : undefined);
}

/** Whether the session that the CONNECT would make can be kept: the account's budget of persistent ones, and the disk. */
function checkRoomForSession(attempt: AdmittedConnect): boolean {
  const { client, account, sessionExpiry } = attempt;
  const { limits, queues, sessions } = account;
  if (sessionExpiry === 0 || sessions.get(client.clientId)?.persistent === true) return true;
  if (queues.sessions >= limits.persistentSessions)
    return refuse(attempt, {
      check: 'limit',
      reason: `more than ${limits.persistentSessions} persistent sessions of the account`,
    });
  return client.broker.disk.low ? refuse(attempt, { check: 'limit', reason: DISK_LOW }) : true;
}

function refuse(attempt: AdmittedConnect, limit: Limit | undefined): false {
  refuseForRoom(attempt, limit);
  return false;
}
