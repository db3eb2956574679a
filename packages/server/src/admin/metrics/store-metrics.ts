/** Metrics of what is kept: the data file, shadows, its disk, due work, and whether the server is able to do its work. */
import type { DiskRoom } from '../../runtime/disk-room.ts';
import { REASONS, type Readiness } from '../../runtime/readiness.ts';
import type { ShadowFigures } from '../../shadows/shadow-figures.ts';
import type { DueWork } from '../../store/due-work.ts';
import type { StoreFigures } from '../../store/store-figures.ts';
import type { MetricSource } from './sources.ts';

/** `sizes` gives the bytes of the data file and of its log. */
export const storeMetrics =
  (figures: StoreFigures, sizes: () => Promise<{ readonly data: number; readonly log: number }>): MetricSource =>
  async (samples) => {
    samples.addHistogram('thingkeep_store_commit_duration_seconds', figures.commitTime);
    samples.addHistogram('thingkeep_store_commit_writes', figures.commitWrites);
    samples.add('thingkeep_store_commits_failed_total', figures.failedCommits);
    samples.add('thingkeep_damaged_records_total', figures.damaged);
    samples.addEach('thingkeep_store_file_bytes', 'file', { ...(await sizes()) });
  };

export const shadowMetrics =
  ({ requests }: ShadowFigures): MetricSource =>
  (samples) => {
    for (const [request, results] of Object.entries(requests))
      for (const [result, count] of Object.entries(results))
        samples.add('thingkeep_shadow_requests_total', count, { request, result });
  };

export const diskMetrics =
  (disk: Pick<DiskRoom, 'free' | 'floor'>): MetricSource =>
  (samples) => {
    samples.add('thingkeep_disk_free_bytes', disk.free);
    samples.add('thingkeep_disk_floor_bytes', disk.floor);
  };

/** `counts` gives how many certificates expire within some days. */
export const expiringMetrics =
  (
    counts: () => Promise<readonly { readonly type: 'device' | 'ca'; readonly days: number; readonly count: number }[]>,
  ): MetricSource =>
  async (samples) => {
    for (const { type, days, count } of await counts())
      samples.add('thingkeep_certificates_expiring', count, { type, within: `${days}d` });
  };

export const readinessMetrics =
  (readiness: Pick<Readiness, 'state'>): MetricSource =>
  (samples) => {
    const { ready, reasons } = readiness.state;
    samples.add('thingkeep_ready', ready ? 1 : 0);
    for (const reason of Object.keys(REASONS))
      samples.add('thingkeep_unready', reasons.some((each) => each === reason) ? 1 : 0, { reason });
  };

export const dueWorkMetrics =
  (dueWork: Pick<DueWork, 'state'>): MetricSource =>
  async (samples) => {
    for (const [kind, { waiting, delay, running }] of await dueWork.state()) {
      samples.add('thingkeep_due_work_waiting', waiting, { kind });
      samples.add('thingkeep_due_work_delay_seconds', delay / 1000, { kind });
      samples.add('thingkeep_due_work_running', running, { kind });
    }
  };
