/**
 * Budgets of memory: the limit of the process, from its control group or its machine, and the share of it that each kind of
 * waiting bytes may take. The second figures of a share are those of a machine with enough memory.
 */
import { totalmem } from 'node:os';

const MIB = 1024 * 1024;
/** Bytes of the process itself: code, heap, the store's cache, a few thousand connections. */
const OWN = 128 * MIB;
/** Bytes that are shared out at least; with less memory the server is not meant to run (docs/operate/run.md). */
const LEAST = 32 * MIB;

export interface MemoryBudgets {
  /** Bytes that wait for peers that do not read. */
  readonly output: number;
  /** Orders of rules' actions. */
  readonly orders: number;
  /** Wills of connections. */
  readonly wills: number;
  /** Log lines of functions that wait for the store. */
  readonly logs: number;
  /** Parts of files that devices get by streams. */
  readonly files: number;
  /** Bytes of one large API request, and the number of them at a time. */
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
    files: share(1 / 16, 32 * MIB),
    largeBody: share(1 / 8, 70 * MIB),
    largeBodies: Math.max(1, Math.min(4, Math.floor(free / (280 * MIB)))),
  };
}

/** The budgets of this process, by its limit at the start: a control group that it moves to later has its parent's limit. */
export const MEMORY: MemoryBudgets = budgetsOf(memoryLimit(process.constrainedMemory(), totalmem()));
