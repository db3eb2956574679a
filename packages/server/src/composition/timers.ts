/** What the server does again and again: the timers of its domains, and those of the machine it runs on. */
import { dueWorkMetrics } from '../admin/metrics/store-metrics.ts';
import type { Domain } from '../domain.ts';
import { collectGarbage, IdleGarbageCollector } from '../runtime/idle-garbage-collector.ts';
import type { Logger } from '../runtime/log.ts';
import { runTimers, startTimers, type Timer } from '../runtime/timers.ts';
import { DueWork } from '../store/due-work.ts';
import type { CoreBase } from './base.ts';
import type { MessagingParts } from './messaging.ts';
import type { Storage } from './storage.ts';

const MINUTE = 60_000;

type Work = () => unknown;

interface TimedParts {
  readonly disk: { look: Work };
  readonly audit: { settle: Work };
  readonly readiness: { look: Work };
  readonly garbage: { look: Work };
  /** Renews the server's own certificates when they are due. */
  readonly rotate: Work;
  readonly dueWork: { tick: Work };
}

const machineTimers = ({ disk, audit, readiness, garbage, rotate, dueWork }: TimedParts): readonly Timer[] => [
  { every: 1000, failure: 'the free disk can not be read', run: () => disk.look() },
  { every: 1000, failure: 'the audit log is behind', run: () => audit.settle() },
  { every: 1000, failure: 'it is not known whether the server is able', run: () => readiness.look() },
  { every: 1000, failure: 'memory could not be given back', run: () => garbage.look() },
  { every: MINUTE, failure: 'server certificates could not be renewed', run: rotate },
  { every: 500, failure: 'due work could not be taken', run: () => dueWork.tick() },
];

/** Renews the server's own certificates when they are due, and tells of it. */
const rotation =
  (authority: { rotateIfDue(): Promise<boolean> }, log: Pick<Logger, 'info'>, renewed: () => void) => async (): Promise<void> => {
    if (!(await authority.rotateIfDue())) return;
    renewed();
    log.info({ event: 'server-certificates-renewed' }, 'the server has new certificates');
  };

/** Starts all timers; gives what runs each of them once, for tests that move the clock. */
export async function openTimers(
  { clock, log, metrics, parts }: CoreBase,
  { store, changes, disk, audit, readiness, authority, places }: Storage,
  { broker }: MessagingParts,
  domains: readonly Domain[],
): Promise<() => Promise<void>> {
  const rotate = rotation(authority, log, () => changes.announce('server-credentials', places.home));
  const dueWork = parts.use(await DueWork.open(domains, { store, clock, log }));
  metrics.add(dueWorkMetrics(dueWork));
  const garbage = new IdleGarbageCollector(broker.figures, collectGarbage);
  const timers = [
    ...domains.flatMap((domain) => domain.timers ?? []),
    ...machineTimers({ disk, audit, readiness, garbage, rotate, dueWork }),
  ];
  parts.defer(startTimers(timers, log));
  return () => runTimers(timers, log);
}
