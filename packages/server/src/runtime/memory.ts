/**
 * Memory that the process may use: what its control group, or else its machine, has; and what of it each kind of bytes that
 * wait in memory may take. The figures on the right are those of a machine that has enough.
 */
import { totalmem } from 'node:os';

const MIB = 1024 * 1024;
/** What the process takes for itself: code, heap, the store's cache, a few thousand connections. */
const OWN = 128 * MIB;
/** Bytes that are shared out even where there are fewer: below that the server is not meant to run (docs/operate/run.md). */
const LEAST = 32 * MIB;

export interface MemoryBudgets {
  /** What waits for peers that do not read. */
  readonly output: number;
  /** Orders of rules' actions. */
  readonly orders: number;
  /** Wills of connections. */
  readonly wills: number;
  /** Log lines of functions that wait for the store. */
  readonly logs: number;
  /** One large API request; and how many of them there may be at a time. */
  readonly largeBody: number;
  readonly largeBodies: number;
}

/** `constrained` is 0, or beyond all bounds, where there is no constraint. */
export const memoryLimit = (constrained: number, total: number): number =>
  constrained > 0 ? Math.min(constrained, total) : total;

export function budgetsOf(limit: number): MemoryBudgets {
  const free = Math.max(LEAST, limit - OWN);
  const share = (part: number, most: number): number => Math.floor(Math.min(most, free * part));
  return {
    output: share(1 / 4, 128 * MIB),
    orders: share(1 / 8, 128 * MIB),
    wills: share(1 / 8, 256 * MIB),
    logs: share(1 / 16, 16 * MIB),
    largeBody: share(1 / 8, 70 * MIB),
    largeBodies: Math.max(1, Math.min(4, Math.floor(free / (280 * MIB)))),
  };
}

/** Of this process, as it was started: a group that it moves to later has its parent's bound and none of its own. */
export const MEMORY: MemoryBudgets = budgetsOf(memoryLimit(process.constrainedMemory(), totalmem()));
