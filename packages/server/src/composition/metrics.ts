/** Sources of the metrics, one for each part of the server. Listeners and due work, which come later, add their own. */
import { stat } from 'node:fs/promises';
import { brokerMetrics } from '../admin/metrics/broker-metrics.ts';
import {
  callMetrics,
  certificateMetrics,
  type CertificateRole,
  handshakeMetrics,
  refusalMetrics,
} from '../admin/metrics/listener-metrics.ts';
import { buildMetrics, eventLoopMetrics, processMetrics } from '../admin/metrics/process-metrics.ts';
import { fleetMetricSource, functionMetrics, ruleMetrics } from '../admin/metrics/rule-metrics.ts';
import { diskMetrics, expiringMetrics, readinessMetrics, shadowMetrics, storeMetrics } from '../admin/metrics/store-metrics.ts';
import { retainedTotals } from '../broker/routing/retained-usage.ts';
import { fleetMetricFigures } from '../fleet-index/fleet-metric-emission.ts';
import { ExpiringCounts } from '../registry/expiring-certificates.ts';
import { EventLoopDelay } from '../runtime/event-loop-delay.ts';
import { ProcessFigures } from '../runtime/process-figures.ts';
import { programVersion } from '../runtime/program-version.ts';
import type { Access } from './access.ts';
import type { CoreBase } from './base.ts';
import type { DeviceParts } from './devices.ts';
import type { FunctionParts } from './functions.ts';
import type { MessagingParts, RuleParts } from './messaging.ts';
import type { Storage } from './storage.ts';

const sizeOf = async (path: string): Promise<number> => (await stat(path).catch(() => undefined))?.size ?? 0;

/** Seconds until certificates expire: those of the authority, and of the domains the first. */
function remainingSeconds({ authority, directory }: Storage, now: number): Partial<Record<CertificateRole, number>> {
  const { ecdsaRoot, rsaRoot, deviceIssuer } = authority.notAfter;
  const remaining = (notAfter: number): number => (notAfter - now) / 1000;
  let ofDomains = Number.POSITIVE_INFINITY;
  for (const { tls } of directory.all) ofDomains = Math.min(ofDomains, tls.notAfter);
  return {
    'root-ec': remaining(ecdsaRoot),
    'root-rsa': remaining(rsaRoot),
    'device-issuer': remaining(deviceIssuer),
    ...Object.fromEntries(authority.serverCertificates().map(({ kind, notAfter }) => [`server-${kind}`, remaining(notAfter)])),
    ...(ofDomains === Number.POSITIVE_INFINITY ? {} : { domain: remaining(ofDomains) }),
  };
}

/** Adds what is there of sources, where metrics are served: without `--metrics-bind` nothing is measured for them. */
export function openMetrics(
  { config, folder, clock, metrics, parts }: CoreBase,
  storage: Storage,
  { refusals }: Access,
  { figures, hosting }: FunctionParts,
  { broker }: MessagingParts,
  { rules }: RuleParts,
  { gateway, calls }: DeviceParts,
): void {
  if (config.metricsBind === undefined) return;
  const { store, storeFigures, disk, readiness } = storage;
  const delay = parts.use(new EventLoopDelay(clock));
  const sizes = async () => ({ data: await sizeOf(folder.dataFile), log: await sizeOf(`${folder.dataFile}-wal`) });
  const expiring = new ExpiringCounts({ ...storage.places, clock });
  for (const source of [
    buildMetrics(programVersion()),
    readinessMetrics(readiness),
    brokerMetrics({
      figures: broker.figures,
      httpConnections: () => gateway.httpConnections,
      retained: () => retainedTotals(store),
    }),
    refusalMetrics(refusals),
    handshakeMetrics(gateway.handshakes),
    certificateMetrics(() => remainingSeconds(storage, clock.now())),
    expiringMetrics(() => expiring.read()),
    callMetrics(calls),
    storeMetrics(storeFigures, sizes),
    shadowMetrics(storage.shadows.figures),
    diskMetrics(disk),
    ruleMetrics(rules.metrics, config.metricsTenants),
    fleetMetricSource(() => fleetMetricFigures(storage.places), config.metricsTenants),
    functionMetrics(figures, () => hosting.host.queue.size),
    eventLoopMetrics(delay),
    processMetrics(new ProcessFigures(clock)),
  ])
    metrics.add(source);
}
