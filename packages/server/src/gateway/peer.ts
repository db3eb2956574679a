/** What a connection, and the TLS handshake on it if there was one, tell of the peer. */
import { hash } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Peer } from '../broker/contract.ts';

/** Address without the prefix that a socket of both families puts before an IPv4 one. */
export const plainAddress = (address: string | undefined): string =>
  address === undefined ? 'unknown' : address.startsWith('::ffff:') ? address.slice(7) : address;

/** The id of a certificate is the SHA-256 of its DER form, as AWS IoT's ids are. */
export const certificateIdOf = (der: Buffer): string => hash('sha256', der, 'hex');

export function peerOf(socket: Socket): Peer {
  const tls = socket instanceof TLSSocket ? socket : undefined;
  const der = tls?.getPeerX509Certificate()?.raw;
  const serverName = tls?.servername;
  return {
    sourceIp: plainAddress(socket.remoteAddress),
    sourcePort: socket.remotePort ?? 0,
    ...(typeof serverName === 'string' && serverName !== '' ? { serverName } : {}),
    ...(der === undefined
      ? {}
      : { certificateId: certificateIdOf(der), certificateDer: () => tls?.getPeerX509Certificate()?.raw }),
  };
}
