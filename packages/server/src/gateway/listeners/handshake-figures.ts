/** TLS handshakes of devices, counted: how long those took that succeeded, and why the others failed. */
import { Histogram, SECONDS } from '../../runtime/histogram.ts';
import { zeroCounters } from '../../runtime/zero-counters.ts';

/**
 * Kinds of failures. `gone`: the peer left in the middle; `full`: too many were under way; `not-tls`: what came was no
 * ClientHello; `protocol`: no version, cipher or application protocol in common; `server-not-trusted`: the peer does not
 * trust the server's certificate; `client-certificate`: the peer's certificate or its proof does not hold; `domain-disabled`.
 */
export const HANDSHAKE_FAILURES = [
  'timeout',
  'gone',
  'full',
  'not-tls',
  'protocol',
  'server-not-trusted',
  'client-certificate',
  'domain-disabled',
  'other',
] as const;
export type HandshakeFailure = (typeof HANDSHAKE_FAILURES)[number];

/** OpenSSL's reasons, by what they have in common. The first that fits counts. */
const REASONS: readonly (readonly [HandshakeFailure, RegExp])[] = [
  ['gone', /ECONNRESET|EPIPE|hang up|disconnected before|unexpected eof/i],
  ['domain-disabled', /domain configuration of .* is disabled/],
  [
    'not-tls',
    /http request|wrong version number|packet length too long|bad record type|record layer failure|unexpected message/i,
  ],
  ['server-not-trusted', /alert (unknown ca|bad certificate|certificate unknown|certificate expired|unsupported certificate)/i],
  ['server-not-trusted', /alert (access denied|certificate revoked|decrypt error)/i],
  [
    'protocol',
    /unsupported protocol|no shared cipher|no suitable|no application protocol|version too low|no protocols available/i,
  ],
  ['protocol', /alert (protocol version|handshake failure|insufficient security|illegal parameter)|inappropriate fallback/i],
  [
    'client-certificate',
    /bad signature|certificate verify failed|peer did not return|asn1|ee key too small|ca md too weak|decode error/i,
  ],
];

export const handshakeFailureOf = (message: string): HandshakeFailure =>
  REASONS.find(([, pattern]) => pattern.test(message))?.[0] ?? 'other';

export class HandshakeFigures {
  readonly time = new Histogram(SECONDS.answer);
  readonly failures = zeroCounters(HANDSHAKE_FAILURES);

  failed(kind: HandshakeFailure): void {
    this.failures[kind] += 1;
  }
}
