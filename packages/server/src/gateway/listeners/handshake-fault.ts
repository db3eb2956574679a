/**
 * Why a TLS handshake has failed: its kind, for the metric, and words for the client's owner. Both are by OpenSSL's reason, and
 * what the client asked for.
 */
import type { PortKind, WrongPort } from '../wrong-port.ts';
import type { HandshakeFailure } from './handshake-figures.ts';

export type HandshakeError = Error & { readonly reason?: string };

/** What is known of the client whose handshake has failed. */
export interface Handshake {
  readonly port: PortKind;
  /** Server name that it asked for. */
  readonly serverName?: string | undefined;
  /** The one version that the security policy of its domain takes. */
  readonly onlyVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
}

export interface HandshakeFault {
  readonly kind: HandshakeFailure;
  readonly text: string;
}

interface Seen extends Handshake {
  readonly reason: string;
  readonly wrongPort: WrongPort;
}

interface FaultRow {
  readonly pattern: RegExp;
  readonly kind: HandshakeFailure;
  readonly text: (seen: Seen) => string;
}

export const GIVE_ROOT = "give it the server's root-ca.pem as its CA file (GET /root-ca.pem on the API port)";

/** A client that has left without an alert once it had the server's certificate. */
const LEFT = `the client left in the middle of the TLS handshake: usually the client does not trust this server's CA; ${GIVE_ROOT}`;

const ALERT = '(?:\\balert|^tlsv1(?! alert)) ';

/**
 * Reasons for alerts that the client has sent: `tlsv1 alert unknown ca`, and a few without the word, `tlsv1 unrecognized name`.
 */
const alert = (names: string): RegExp => new RegExp(`${ALERT}(?:${names})`, 'i');

/** The alert, by its own name. */
const said = ({ reason }: Seen): string =>
  `the client sent the alert "${new RegExp(`${ALERT}(.+)$`, 'i').exec(reason)?.[1] ?? reason}"`;

const named = ({ serverName }: Handshake): string =>
  serverName === undefined ? '' : `; it asked for ${JSON.stringify(serverName.slice(0, 253))}`;

const asOpenSslSays = ({ reason }: Seen): string => reason;
const seeItsLog = (seen: Seen): string => `${said(seen)}: its own log says why it left`;
const withReason =
  (text: string) =>
  ({ reason }: Seen): string =>
    `${text} (${reason})`;

function noVersion({ onlyVersion, reason }: Seen): string {
  const version = onlyVersion?.replace('TLSv', 'TLS ');
  return version === undefined
    ? `the client speaks neither TLS 1.2 nor TLS 1.3: update its TLS library, or let it use TLS 1.2 (${reason})`
    : `the client does not speak ${version}, the only version that the domain's security policy takes: let it use ${version}, or give the domain configuration another policy (${reason})`;
}

const ALPN_OFFER: Readonly<Record<PortKind, string>> = {
  mqtt: 'x-amzn-mqtt-ca',
  https: 'x-amzn-mqtt-ca or mqtt for MQTT, x-amzn-http-ca or http/1.1 for HTTPS',
  api: 'http/1.1',
};

/** The first row that fits counts. */
const FAULTS: readonly FaultRow[] = [
  { pattern: /^the domain configuration of .* is disabled$/, kind: 'domain-disabled', text: asOpenSslSays },
  { pattern: /ECONNRESET|EPIPE|hang up|disconnected before|unexpected eof/i, kind: 'gone', text: () => LEFT },
  {
    pattern: /http request|https proxy request/,
    kind: 'not-tls',
    text: ({ port, wrongPort }) => wrongPort.noTlsReason(port, 'http'),
  },
  {
    pattern: alert('unknown ca'),
    kind: 'server-not-trusted',
    text: (seen) => `the client does not trust this server (${said(seen)}): ${GIVE_ROOT}`,
  },
  {
    // What OpenSSL sends where a CA has the right name and another key.
    pattern: alert('decrypt error'),
    kind: 'server-not-trusted',
    text: (seen) =>
      `the client does not trust this server (${said(seen)}): its CA file may be of an earlier installation; ${GIVE_ROOT}`,
  },
  {
    pattern: alert('certificate expired'),
    kind: 'server-not-trusted',
    text: (seen) => `the client says that the server's certificate has expired (${said(seen)}): set the client's clock`,
  },
  {
    pattern: alert(
      'bad certificate|certificate unknown|certificate revoked|unsupported certificate|access denied|unrecognized name|no certificate',
    ),
    kind: 'server-not-trusted',
    text: (seen) =>
      `the client refuses the server's certificate (${said(seen)}${named(seen)}): connect by a name that --endpoint names, set the client's clock, and ${GIVE_ROOT}`,
  },
  {
    pattern: alert('protocol version|inappropriate fallback'),
    kind: 'protocol',
    text: (seen) => `the client speaks no TLS version of this server (${said(seen)}): let it use TLS 1.2 or 1.3`,
  },
  {
    pattern: alert('no application protocol'),
    kind: 'protocol',
    text: (seen) => `client and server have no ALPN protocol in common (${said(seen)})`,
  },
  { pattern: alert('handshake failure|insufficient security|illegal parameter'), kind: 'protocol', text: seeItsLog },
  { pattern: alert('.'), kind: 'other', text: seeItsLog },
  {
    pattern: /no application protocol/,
    kind: 'protocol',
    text: ({ port }) =>
      `no application protocol: the client offers by ALPN only what is not served on this port: offer ${ALPN_OFFER[port]}`,
  },
  {
    pattern: /unsupported protocol|version too low|unknown protocol|inappropriate fallback|no protocols available/,
    kind: 'protocol',
    text: noVersion,
  },
  {
    pattern: /no shared cipher|no cipher/,
    kind: 'protocol',
    text: withReason(
      'the client offers no cipher suite of this server: let it use ECDHE with AES-GCM, such as ECDHE-ECDSA-AES128-GCM-SHA256',
    ),
  },
  {
    pattern: /no suitable|no shared (?:groups?|signature)|bad key share/,
    kind: 'protocol',
    text: withReason(
      'client and server have no key exchange group or signature algorithm in common: let it use X25519 or P-256, and ECDSA or RSA with SHA-256',
    ),
  },
  {
    pattern: /bad signature|bad ecc|digest check failed|signature algorithm|wrong signature/,
    kind: 'client-certificate',
    text: withReason('the client could not prove its certificate: its private key is not the one of the certificate'),
  },
  {
    pattern: /certificate verify failed|peer did not return|asn1|ee key too small|ca md too weak|decode error/,
    kind: 'client-certificate',
    text: asOpenSslSays,
  },
  {
    pattern: /wrong version number|packet length too long|bad record type|record layer failure/,
    kind: 'not-tls',
    text: ({ port, wrongPort, reason }) => `${wrongPort.noTlsReason(port, 'unknown')} (${reason})`,
  },
  { pattern: /unexpected message/, kind: 'not-tls', text: asOpenSslSays },
];

/** In OpenSSL's words where it has no others. */
export function handshakeFault(error: HandshakeError, handshake: Handshake, wrongPort: WrongPort): HandshakeFault {
  const reason = error.reason ?? error.message.trim();
  const row = FAULTS.find(({ pattern }) => pattern.test(reason));
  return row === undefined
    ? { kind: 'other', text: reason }
    : { kind: row.kind, text: row.text({ ...handshake, wrongPort, reason }) };
}

export const tookTooLong = (bytesRead: number): string =>
  bytesRead === 0
    ? 'the client connected and sent nothing for ten seconds: it waits for the server to speak first, so it does not speak TLS, or it is a port check'
    : 'it took longer than ten seconds: the client has begun it and not gone on';
