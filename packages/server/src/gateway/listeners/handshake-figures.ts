/** TLS handshakes of devices, counted: how long those took that succeeded, and why the others failed. */
import { Histogram, SECONDS } from '../../runtime/histogram.ts';
import { zeroCounters } from '../../runtime/zero-counters.ts';

/** Kinds of failures. */
export const HANDSHAKE_FAILURES = {
  timeout: 'it took too long',
  gone: 'the peer left in the middle',
  full: 'too many were under way',
  'not-tls': 'what came was no ClientHello',
  protocol: 'no version, cipher or ALPN protocol in common',
  'server-not-trusted': 'the device does not trust this server: give it root-ca.pem',
  'client-certificate': "the device's certificate can't be read, or its proof does not hold",
  'domain-disabled': 'the domain configuration of the host name is disabled',
  other: 'any other reason',
} as const;
export type HandshakeFailure = keyof typeof HANDSHAKE_FAILURES;

export class HandshakeFigures {
  readonly time = new Histogram(SECONDS.answer);
  readonly failures = zeroCounters(HANDSHAKE_FAILURES);

  failed(kind: HandshakeFailure): void {
    this.failures[kind] += 1;
  }
}
