/** What a connection, and the TLS handshake on it if there was one, tell of the peer. */
import type { X509Certificate } from 'node:crypto';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { certificateIdOf } from '@thingkeep/x509/certificate.ts';
import type { Peer } from '../broker/contract.ts';

/** Address without the prefix that a socket of both families puts before an IPv4 one. */
export const plainAddress = (address: string | undefined): string =>
  address === undefined ? 'unknown' : address.startsWith('::ffff:') ? address.slice(7) : address;

/** Plain address of the peer of a connection. */
export const addressOf = (socket: Duplex): string => (socket instanceof Socket ? plainAddress(socket.remoteAddress) : 'unknown');

/** Issuers of a peer's chain that are kept. */
const MAX_ISSUERS = 10;

/** What the peer has sent of the chain above a certificate. */
function issuersOf(certificate: X509Certificate | undefined): Buffer[] {
  const chain: Buffer[] = [];
  for (let next = certificate?.issuerCertificate; next !== undefined; next = next.issuerCertificate) {
    // A root names itself.
    if (chain.length === MAX_ISSUERS || chain.at(-1)?.equals(next.raw) === true) break;
    chain.push(next.raw);
  }
  return chain;
}

/** `wantsIssuers` says whether they are to be kept, by the server name that was asked for. */
export function peerOf(socket: Socket, wantsIssuers: (serverName: string) => boolean = () => false): Peer {
  const tls = socket instanceof TLSSocket ? socket : undefined;
  const certificate = tls?.getPeerX509Certificate();
  const der = certificate?.raw;
  const serverName = typeof tls?.servername === 'string' ? tls.servername : '';
  // Now or never: Node tells the issuers of a connection with the first certificate object alone.
  const issuers = serverName !== '' && wantsIssuers(serverName) ? issuersOf(certificate) : [];
  return {
    sourceIp: plainAddress(socket.remoteAddress),
    sourcePort: socket.remotePort ?? 0,
    secureTransport: tls === undefined ? false : undefined,
    serverName: serverName === '' ? undefined : serverName,
    issuers: issuers.length === 0 ? undefined : issuers,
    certificateId: der === undefined ? undefined : certificateIdOf(der),
    certificateDer: der === undefined ? undefined : () => tls?.getPeerX509Certificate()?.raw,
  };
}
