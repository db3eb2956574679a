/** What is done again and again, and how often: the one list for the product and for tests that move the clock. */
import type { Timer } from './runtime/timers.ts';

const MINUTE = 60_000;

type Work = () => unknown;

export interface TimedParts {
  readonly broker: { tick: Work; sweep: Work };
  readonly rules: { tick: Work };
  readonly disk: { look: Work };
  readonly audit: { settle: Work };
  readonly readiness: { look: Work };
  readonly hosting: { tick: Work };
  readonly logs: { tidy: Work };
  readonly tidy: { look: Work };
  readonly keyUses: { tick: Work };
  /** Renews certificates that are due. */
  readonly rotate: Work;
}

export const timersOf = ({
  broker,
  rules,
  disk,
  audit,
  readiness,
  hosting,
  logs,
  tidy,
  keyUses,
  rotate,
}: TimedParts): readonly Timer[] => [
  { every: 100, failure: 'the broker failed at its timer', run: () => broker.tick() },
  { every: 100, failure: 'the rules failed at their timer', run: () => rules.tick() },
  { every: 1000, failure: 'ended sessions could not be removed', run: () => broker.sweep() },
  { every: 1000, failure: 'the free disk can not be read', run: () => disk.look() },
  { every: 1000, failure: 'the audit log is behind', run: () => audit.settle() },
  { every: 1000, failure: 'it is not known whether the server is able', run: () => readiness.look() },
  { every: 250, failure: 'functions failed at their timer', run: () => hosting.tick() },
  { every: 60 * MINUTE, failure: 'logs could not be tidied', run: () => logs.tidy() },
  { every: 1000, failure: 'memory could not be given back', run: () => tidy.look() },
  { every: MINUTE, failure: 'uses of access keys could not be written', run: () => keyUses.tick() },
  { every: MINUTE, failure: 'server certificates could not be renewed', run: rotate },
];
