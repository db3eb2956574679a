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

export class HandshakeFigures {
  readonly time = new Histogram(SECONDS.answer);
  readonly failures = zeroCounters(HANDSHAKE_FAILURES);

  failed(kind: HandshakeFailure): void {
    this.failures[kind] += 1;
  }
}
