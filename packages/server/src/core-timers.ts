/** What the server does again and again beside its domains. */
import type { Timer } from './runtime/timers.ts';

const MINUTE = 60_000;

type Work = () => unknown;

export interface TimedParts {
  readonly disk: { look: Work };
  readonly audit: { settle: Work };
  readonly readiness: { look: Work };
  readonly garbage: { look: Work };
  /** Renews certificates that are due. */
  readonly rotate: Work;
}

export const machineTimers = ({ disk, audit, readiness, garbage, rotate }: TimedParts): readonly Timer[] => [
  { every: 1000, failure: 'the free disk can not be read', run: () => disk.look() },
  { every: 1000, failure: 'the audit log is behind', run: () => audit.settle() },
  { every: 1000, failure: 'it is not known whether the server is able', run: () => readiness.look() },
  { every: 1000, failure: 'memory could not be given back', run: () => garbage.look() },
  { every: MINUTE, failure: 'server certificates could not be renewed', run: rotate },
];
