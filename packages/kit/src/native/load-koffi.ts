/** Loads koffi, which calls native code and is an optional dependency. In the process of native code alone. */
import type * as Koffi from 'koffi';
import { NativeFault } from './native-fault.ts';

/** `prctl(PR_SET_PDEATHSIG, SIGKILL)` of Linux: the kernel ends this process with its parent, also while a call hangs. */
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

let loaded: typeof Koffi | undefined;

function endWithParent(koffi: typeof Koffi): void {
  if (process.platform === 'linux')
    koffi.load(null).func('prctl', 'int', ['int', 'ulong', 'ulong', 'ulong', 'ulong'])(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

/** Throws NativeFault `library` where it is not installed, or has no build for this machine. */
export async function loadKoffi(): Promise<typeof Koffi> {
  if (loaded !== undefined) return loaded;
  try {
    loaded = await import('koffi');
  } catch (error) {
    throw new NativeFault('library', `koffi can not be loaded: ${(error as Error).message.split('\n')[0]}`);
  }
  endWithParent(loaded);
  return loaded;
}
