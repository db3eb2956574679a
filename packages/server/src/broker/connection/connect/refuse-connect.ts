/** Answers to a CONNECT that is refused. */
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { encodeConnack } from '../../../mqtt/connect.ts';
import type { Refusal } from '../../../refusals/refusals.ts';
import type { ConnectRefusal } from '../../contract.ts';
import type { Client } from '../client.ts';
import type { AdmittedConnect } from './connect-attempt.ts';

/**
 * Refuses a CONNECT as AWS IoT does: MQTT 5 gets a CONNACK with the reason code, if there is one; MQTT 3.1.1 is closed without
 * a CONNACK.
 */
export function refuseConnect(client: Client, reason: number | undefined, refusal: ConnectRefusal): void {
  client.refuse(refusal);
  if (client.level === 5 && reason !== undefined) client.output.append(encodeConnack(5, reason, false));
  client.close('AUTH_ERROR');
  client.broker.connectFailed(client, refusal);
}

/**
 * Refuses a CONNECT for which there is no room. MQTT 5 gets the reason code of an exceeded quota; MQTT 3.1.1, which has no code
 * for it, is closed without a word. Without a refusal nothing is recorded.
 */
export function refuseForRoom(
  { client, account, admission }: AdmittedConnect,
  refusal?: Pick<Refusal, 'check' | 'reason'>,
): void {
  const { accountId, region, principal } = admission;
  if (refusal !== undefined) client.refuse({ accountId, region: region ?? account.place.region, principal, ...refusal });
  if (client.level === 5) client.output.append(encodeConnack(5, REASON.QUOTA_EXCEEDED, false));
  client.close('THROTTLED');
}
