/** Many boards, a few at a time: what fails on one is reported and does not keep the others. */
import type { ProvisioningState } from './journal.ts';
import { type BoardPlan, provisionBoard, type ProvisioningParts } from './provision-board.ts';

export interface BoardFailure {
  readonly board: string;
  readonly error: unknown;
}

export interface TrayOptions {
  /** Boards at a time. */
  readonly parallel: number;
  readonly signal: AbortSignal;
  /** Told after each board. */
  readonly progress: (done: number, failed: number, all: number) => void;
}

export interface TrayResult {
  readonly done: readonly ProvisioningState[];
  readonly failed: readonly BoardFailure[];
  /** Boards that were not begun when the work was interrupted. */
  readonly left: number;
}

export async function provisionTray(
  parts: ProvisioningParts,
  boards: readonly BoardPlan[],
  { parallel, signal, progress }: TrayOptions,
): Promise<TrayResult> {
  const done: ProvisioningState[] = [];
  const failed: BoardFailure[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let plan = boards[next]; plan !== undefined && !signal.aborted; plan = boards[next]) {
      next += 1;
      try {
        done.push(await provisionBoard(parts, plan));
      } catch (error) {
        failed.push({ board: plan.board, error });
      }
      progress(done.length, failed.length, boards.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, boards.length) }, work));
  return { done, failed, left: boards.length - next };
}
