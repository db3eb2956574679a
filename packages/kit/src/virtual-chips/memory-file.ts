/** The state of a virtual chip in a file of mode 0600, or in memory alone. */
import { readFileSync } from 'node:fs';
import { replaceFile } from '../files/replace-file.ts';
import type { ChipMemory } from './contract.ts';

/** A chip's state in JSON; the file is made with the first save. */
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
    replaceFile(path, `${JSON.stringify(state, undefined, 2)}\n`, 0o600);
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
