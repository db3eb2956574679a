/** Why a TLS handshake has failed, in words for the client's owner: from OpenSSL's reason and what the client asked for. */
import type { PortKind, WrongPort } from '../wrong-port.ts';

export type HandshakeError = Error & { readonly reason?: string };

/** What is known of the client whose handshake has failed. */
export interface Handshake {
  readonly port: PortKind;
  /** Server name that it asked for. */
  readonly serverName?: string | undefined;
}

export const GIVE_ROOT = "give it the server's root-ca.pem as its CA file (GET /root-ca.pem on the API port)";

/** The alert that the client has sent, in its own name: `unknown ca` of `tlsv1 alert unknown ca`. */
const alertOf = (reason: string): string | undefined => /alert (.+)$/.exec(reason)?.[1];

const named = ({ serverName }: Handshake): string =>
  serverName === undefined ? '' : `; it asked for ${JSON.stringify(serverName.slice(0, 253))}`;

function alertFault(alert: string, handshake: Handshake): string {
  const said = `the client sent the alert "${alert}"`;
  if (alert === 'unknown ca') return `the client does not trust this server (${said}): ${GIVE_ROOT}`;
  if (/^(?:bad certificate|certificate unknown|unsupported certificate|unrecognized name|no certificate)/.test(alert))
    return `the client refuses the server's certificate (${said}${named(handshake)}): connect by a name that --endpoint names, set the client's clock, and ${GIVE_ROOT}`;
  if (alert === 'certificate expired')
    return `the client takes the server's certificate for expired (${said}): set the client's clock`;
  if (alert === 'protocol version') return `the client speaks no TLS version of this server (${said}): let it use TLS 1.2 or 1.3`;
  if (alert === 'no application protocol') return `client and server have no ALPN protocol in common (${said})`;
  return `${said}: its own log says why it left`;
}

/** Faults that the server finds, by OpenSSL's reason. */
const OWN: readonly (readonly [reason: RegExp, fault: string])[] = [
  [
    /unsupported protocol|version too low|unknown protocol|inappropriate fallback|no protocols available/,
    "the client speaks no TLS version of this server, which are 1.2 and 1.3 (a domain's security policy may ask for one): update its TLS library, or let it use TLS 1.2",
  ],
  [
    /no shared cipher|no cipher/,
    'the client offers no cipher suite of this server: let it use ECDHE with AES-GCM, such as ECDHE-ECDSA-AES128-GCM-SHA256',
  ],
  [
    /no suitable key share|no shared groups?|no suitable groups|bad key share|no suitable signature|no shared signature/,
    'client and server have no key exchange group or signature algorithm in common: let it use X25519 or P-256, and ECDSA or RSA with SHA-256',
  ],
  [
    /bad signature|bad ecc|digest check failed|signature algorithm|wrong signature/,
    'the client could not prove its certificate: its private key is not the one of the certificate',
  ],
];

const ALPN_OFFER: Readonly<Record<PortKind, string>> = {
  mqtt: 'x-amzn-mqtt-ca',
  https: 'x-amzn-mqtt-ca or mqtt for MQTT, x-amzn-http-ca or http/1.1 for HTTPS',
  api: 'http/1.1',
};

/** In OpenSSL's words where it has no others. */
export function handshakeFault(error: HandshakeError, handshake: Handshake, wrongPort: WrongPort): string {
  const reason = error.reason ?? error.message.trim();
  const { port } = handshake;
  if (/http request|https proxy request/.test(reason)) return wrongPort.noTlsReason(port, 'http');
  const alert = alertOf(reason);
  if (alert !== undefined) return alertFault(alert, handshake);
  if (/no application protocol/.test(reason))
    return `no application protocol: the client offers by ALPN only what is not served on this port: offer ${ALPN_OFFER[port]}`;
  const own = OWN.find(([pattern]) => pattern.test(reason))?.[1];
  if (own !== undefined) return `${own} (${reason})`;
  return /wrong version number|packet length too long|bad record type/.test(reason)
    ? `${wrongPort.noTlsReason(port, 'unknown')} (${reason})`
    : reason;
}

/** A client that has left without an alert once it had the server's certificate. */
export const LEFT_IN_HANDSHAKE = `the client left in the middle of the TLS handshake: usually the client does not trust this server's CA; ${GIVE_ROOT}`;

export const tookTooLong = (bytesRead: number): string =>
  bytesRead === 0
    ? 'the client connected and sent nothing for ten seconds: it waits for the server to speak first, so it does not speak TLS, or it is a port check'
    : 'it took longer than ten seconds: the client has begun it and not gone on';
