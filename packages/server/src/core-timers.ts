/** What the server does again and again beside its domains. */
import type { Logger } from './runtime/log.ts';
import type { Timer } from './runtime/timers.ts';

const MINUTE = 60_000;

type Work = () => unknown;

export interface TimedParts {
  readonly disk: { look: Work };
  readonly audit: { settle: Work };
  readonly readiness: { look: Work };
  readonly garbage: { look: Work };
  /** Renews the server's own certificates when they are due. */
  readonly rotate: Work;
  readonly dueWork: { tick: Work };
}

/** Renews the server's own certificates when they are due, and tells of it. */
export const rotation =
  (authority: { rotateIfDue(): Promise<boolean> }, log: Pick<Logger, 'info'>, renewed: () => void) => async (): Promise<void> => {
    if (!(await authority.rotateIfDue())) return;
    renewed();
    log.info({ event: 'server-certificates-renewed' }, 'the server has new certificates');
  };

export const machineTimers = ({ disk, audit, readiness, garbage, rotate, dueWork }: TimedParts): readonly Timer[] => [
  { every: 1000, failure: 'the free disk can not be read', run: () => disk.look() },
  { every: 1000, failure: 'the audit log is behind', run: () => audit.settle() },
  { every: 1000, failure: 'it is not known whether the server is able', run: () => readiness.look() },
  { every: 1000, failure: 'memory could not be given back', run: () => garbage.look() },
  { every: MINUTE, failure: 'server certificates could not be renewed', run: rotate },
  { every: 500, failure: 'due work could not be taken', run: () => dueWork.tick() },
];
