/**
 * The record that a client leaves which loses its client id to another connection. Two devices with one client id
 * keep disconnecting each other: the record names both. Once in a while for each client id, with the number of those left out.
 */
import type { RepeatLimiter } from '../../../runtime/repeat-limiter.ts';
import type { Client } from '../client.ts';
import type { AdmittedConnect } from './connect-attempt.ts';

/** A peer as its owner knows it: its certificate or other principal, and its address. */
function peerText(client: Client, principal: string): string {
  const { certificateId, sourceIp, sourcePort } = client.identity.peer;
  const who = certificateId === undefined ? principal : `certificate ${certificateId}`;
  return `${who} from ${sourceIp} port ${sourcePort}`;
}

/** Records that `before`, which has the client id, loses it to the client that is being admitted. */
export function reportTakeOver(
  before: Client,
  { client, account, admission }: Pick<AdmittedConnect, 'client' | 'account' | 'admission'>,
  repeats: RepeatLimiter,
): void {
  const { clientId } = client;
  const { accountId, region } = account.place;
  const leftOut = repeats.admit(`${region}/${accountId}/${clientId}`);
  if (leftOut === undefined) return;
  const peers = `${peerText(before, before.identity.principal)} was replaced by ${peerText(client, admission.principal)}`;
  const isSamePeer =
    before.identity.principal === admission.principal && before.identity.peer.sourceIp === client.identity.peer.sourceIp;
  const advice = isSamePeer
    ? 'a device that has come back before its old connection was closed needs nothing; two devices or programs need a client id each'
    : 'give each device a client id of its own';
  const more =
    leftOut === 0 ? '' : ` It happened ${leftOut} more times since the last record: they keep disconnecting each other.`;
  before.refuse({
    check: 'take-over',
    reason: `two connections use the client id ${clientId}: ${peers}: ${advice}.${more}`,
    action: 'iot:Connect',
  });
}
