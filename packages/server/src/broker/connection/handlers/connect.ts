/**
 * CONNECT: the life of a connection begins, step by step. A step that refuses has answered and closed; the steps after it
 * are not taken.
 */
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { type Connect, parseConnect } from '../../../mqtt/connect.ts';
import { MqttError } from '../../../mqtt/mqtt-error.ts';
import type { Client } from '../client.ts';
import { acknowledgeConnect } from '../connect/acknowledge-connect.ts';
import { authenticateConnect } from '../connect/authenticate-connect.ts';
import { authorizeWill } from '../connect/authorize-will.ts';
import { claimClientId } from '../connect/claim-client-id.ts';
import { checkGuest } from '../connect/check-guest.ts';
import { checkAgain, checkConnectLimits } from '../connect/check-limits.ts';
import type { ValidConnect } from '../connect/connect-attempt.ts';
import { openSession } from '../connect/open-session.ts';
import { validateConnect } from '../connect/validate-connect.ts';

export function connect(client: Client, bytes: Buffer, body: number, next: number): void {
  const valid = validateConnect(client, parse(client, bytes, body, next));
  if (valid === undefined) return;
  accept(valid).catch((error: unknown) => {
    client.broker.log.error({ err: error, clientId: client.clientId }, 'a CONNECT could not be handled');
    client.close('SERVER_ERROR', REASON.UNSPECIFIED);
  });
}

async function accept(valid: ValidConnect): Promise<void> {
  const attempt = await authenticateConnect(valid);
  if (attempt === undefined || !checkGuest(attempt) || !authorizeWill(attempt) || !checkConnectLimits(attempt)) return;
  const wait = claimClientId(attempt);
  if (wait !== undefined) {
    await wait;
    if (!checkAgain(attempt) || !checkGuest(attempt)) return;
  }
  acknowledgeConnect(attempt, openSession(attempt));
}

function parse(client: Client, bytes: Buffer, body: number, next: number): Connect {
  if (client.state !== 'awaiting-connect') throw new MqttError(REASON.PROTOCOL_ERROR, 'a second CONNECT'); // [MQTT-3.1.0-2]
  const sent = parseConnect(bytes, body, next);
  client.identity.setLevel(sent.level);
  return sent;
}
