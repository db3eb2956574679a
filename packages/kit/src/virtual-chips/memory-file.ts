/** The state of a virtual chip in a file of mode 0600, or in memory alone. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { ChipMemory } from './contract.ts';

/**
 * A chip's state in JSON; the file is made with the first save. It is written beside and renamed, so that the end of the
 * process leaves the old state or the new one; it is not synced, since a chip is written to dozens of times for one board.
 */
export const memoryFile = <State>(path: string): ChipMemory<State> => ({
  load() {
    try {
      return JSON.parse(readFileSync(path, 'utf8')) as State;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  },
  save(state) {
    const beside = `${path}.new`;
    rmSync(beside, { force: true });
    writeFileSync(beside, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
    renameSync(beside, path);
  },
});

/** A chip that is forgotten with the process. */
export function memoryOnly<State>(): ChipMemory<State> {
  let kept: string | undefined;
  return {
    load: () => (kept === undefined ? undefined : (JSON.parse(kept) as State)),
    save: (state) => {
      kept = JSON.stringify(state);
    },
  };
}
