/**
 * Evaluates fleet metrics by their periods, one server for all, and keeps what comes out as points: the last 1,440 of a metric.
 * A metric whose query or field can't be answered any more has no point, and holds no other up.
 */
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import { pages } from '../store/pages.ts';
import type { FleetIndex } from './fleet-index.ts';
import { nextDue, periodOf } from './fleet-metrics.ts';
import { aggregatedField } from './aggregated-fields.ts';
import { parseIndexQuery } from './query/parse.ts';
import { fleetMetricPoints, type FleetMetricRecord, fleetMetrics, MAX_POINTS } from './store.ts';

export interface FleetMetricEmissionOptions {
  readonly clock: Clock;
  readonly fleetIndex: FleetIndex;
  readonly inRegion: (region: string) => Store;
  readonly regions: () => Promise<readonly string[]>;
  readonly log: { warn(members: object, text: string): void };
}

/** Milliseconds of evaluations that an account has in one look; what it has left is taken up at the next. */
const ACCOUNT_TIME = 5_000;

type Values = Readonly<Record<string, number>>;

/** Metrics that are looked at in one turn. */
const PAGE = 50;
/**
 * Milliseconds between two looks, each of which writes twice that it was done: well below the shortest period, so that none is
 * missed.
 */
const LOOK_EVERY = 20_000;

/** A metric's values now; undefined where its index is off or being built. */
async function evaluate(fleetIndex: FleetIndex, region: string, metric: FleetMetricRecord): Promise<Values | undefined> {
  const { accountId, indexName, queryString, aggregationField, aggregationType } = metric;
  const place = { region, accountId };
  const index = fleetIndex.find(place, indexName);
  if (index === undefined || index.status === 'BUILDING') return undefined;
  const { thread } = fleetIndex;
  const query = parseIndexQuery(indexName, queryString);
  const field = aggregatedField(indexName, fleetIndex.configurationOf(place), aggregationField);
  if (aggregationType.name === 'Cardinality')
    return { cardinality: await thread.callForServer('cardinality', index.key, query, field) };
  if (aggregationType.name === 'Percentiles') {
    const found = await thread.callForServer('percentiles', index.key, query, field, aggregationType.values.map(Number));
    return Object.fromEntries(found.map(({ percent, value }) => [String(percent), value]));
  }
  const found = new Map(Object.entries(await thread.callForServer('statistics', index.key, query, field)));
  return Object.fromEntries(
    aggregationType.values.flatMap((name) => {
      const value: unknown = found.get(name);
      return typeof value === 'number' ? [[name, value]] : [];
    }),
  );
}

/** The task that evaluates what is due. */
export function fleetMetricEmission({ clock, fleetIndex, inRegion, regions, log }: FleetMetricEmissionOptions) {
  /** As {@link evaluate}; undefined too where that fails. */
  async function valuesOf(region: string, metric: FleetMetricRecord): Promise<Values | undefined> {
    try {
      return await evaluate(fleetIndex, region, metric);
    } catch (error) {
      // What its owner has to mend is told by a search with the same query.
      if (!(error instanceof ThingkeepError)) {
        const { accountId, metricName } = metric;
        const about = { err: error, event: 'fleet-metric-failed', region, accountId, metricName };
        log.warn(about, 'a fleet metric could not be evaluated');
      }
      return undefined;
    }
  }

  /** Keeps a point, and when the metric is due again; a metric that has changed meanwhile is due by what it says now. */
  const keep = (store: Store, metric: FleetMetricRecord, values: Values | undefined, now: number): Promise<void> =>
    store.write(async (tx) => {
      const { accountId, metricName, period } = metric;
      const current = await tx.get(fleetMetrics, [accountId, metricName]);
      if (current === undefined || current.createdAt !== metric.createdAt || current.version !== metric.version) return;
      const at = periodOf(period, now);
      const isNew = values !== undefined && Object.keys(values).length > 0;
      const slot = Math.floor(at / (period * 1000)) % MAX_POINTS;
      if (isNew) await tx.put(fleetMetricPoints, { accountId, metricName, slot, at, values });
      const { latest: _, ...rest } = current;
      await tx.put(fleetMetrics, { ...rest, dueAt: nextDue(period, now), ...(isNew ? { latest: values } : {}) });
    });

  /**
   * Evaluates a metric, and adds what that took to the account's time; an account that has had its time waits for the next
   * look.
   */
  async function emit(region: string, metric: FleetMetricRecord, spent: Map<string, number>): Promise<void> {
    const { accountId } = metric;
    const before = spent.get(accountId) ?? 0;
    if (before >= ACCOUNT_TIME) return;
    const now = clock.now();
    const began = clock.monotonic();
    const values = await valuesOf(region, metric);
    spent.set(accountId, before + clock.monotonic() - began);
    await keep(inRegion(region), metric, values, now);
  }

  async function emitRegion(region: string, signal: AbortSignal): Promise<void> {
    const store = inRegion(region);
    const spent = new Map<string, number>();
    for (let after: string | undefined; ; ) {
      const from = after;
      const scan = { index: 'byDue', prefix: [], limit: PAGE, skipDamaged: true, after: from };
      const page = await store.read((tx) => tx.scan(fleetMetrics, scan));
      for (const metric of page.items) {
        if (signal.aborted || metric.dueAt > clock.now()) return;
        await emit(region, metric, spent);
      }
      after = page.next;
      if (after === undefined) return;
    }
  }

  return {
    name: 'fleet-metrics',
    every: LOOK_EVERY,
    async run(signal: AbortSignal): Promise<void> {
      for (const region of await regions()) await emitRegion(region, signal);
    },
  };
}

export interface FleetMetricFigure {
  readonly region: string;
  readonly accountId: string;
  readonly metricName: string;
  readonly values: Values;
}

/** The last values of all fleet metrics. */
export async function* fleetMetricFigures({
  inRegion,
  regions,
}: Pick<FleetMetricEmissionOptions, 'inRegion' | 'regions'>): AsyncGenerator<FleetMetricFigure> {
  for (const region of await regions())
    for await (const { items } of pages(inRegion(region), fleetMetrics, { prefix: [], skipDamaged: true }))
      for (const { accountId, metricName, latest } of items)
        if (latest !== undefined) yield { region, accountId, metricName, values: latest };
}
