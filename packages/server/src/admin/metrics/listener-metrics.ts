/** Metrics of the listeners: sockets, TLS handshakes, certificates, API calls, refusals. */
import type { HandshakeFigures } from '../../gateway/listeners/handshake-figures.ts';
import type { Refusals } from '../../refusals/refusals.ts';
import type { CallFigures } from '../../runtime/call-figures.ts';
import type { LimitedConnections } from '../../runtime/connection-limit.ts';
import type { CERTIFICATE_ROLES } from './metrics.ts';
import type { MetricSource } from './sources.ts';

export type CertificateRole = keyof typeof CERTIFICATE_ROLES;

export const refusalMetrics =
  (refusals: Refusals): MetricSource =>
  (samples) =>
    samples.addEach('thingkeep_refusals_total', 'check', refusals.byCheck);

export const socketMetrics =
  (connections: LimitedConnections): MetricSource =>
  (samples) => {
    const { open, max, turnedAway } = connections.figures;
    samples.add('thingkeep_sockets', open);
    samples.add('thingkeep_sockets_limit', max);
    samples.add('thingkeep_sockets_turned_away_total', turnedAway);
  };

export const handshakeMetrics =
  ({ time, failures }: HandshakeFigures): MetricSource =>
  (samples) => {
    samples.addHistogram('thingkeep_tls_handshake_duration_seconds', time);
    samples.addEach('thingkeep_tls_handshake_failures_total', 'reason', failures);
  };

/** `remaining` gives seconds. A role without a certificate is left out. */
export const certificateMetrics =
  (remaining: () => Partial<Record<CertificateRole, number>>): MetricSource =>
  (samples) =>
    samples.addEach('thingkeep_certificate_remaining_seconds', 'role', remaining());

export const callMetrics =
  (calls: CallFigures): MetricSource =>
  (samples) => {
    for (const { port, service, operation, statuses, time } of calls.all) {
      for (const [first, count] of statuses)
        samples.add('thingkeep_api_requests_total', count, { port, service, operation, status: `${first}xx` });
      samples.addHistogram('thingkeep_api_request_duration_seconds', time, { service, operation });
    }
  };
