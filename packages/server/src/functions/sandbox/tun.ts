/** The device that pasta makes a function's network with: whether the user that functions run as may open it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { BubbleUser } from './bubble.ts';

const TUN = '/dev/net/tun';
/** Milliseconds that it may take. */
const PATIENCE = 10_000;

/** Why it can't be used; undefined when it can. To open it makes no network yet. */
export async function tunFault(user: BubbleUser | undefined, device = TUN): Promise<string | undefined> {
  const child = spawn('/bin/sh', ['-c', 'exec 9<>"$1"', 'sh', device], {
    cwd: '/',
    env: {},
    stdio: 'ignore',
    timeout: PATIENCE,
    killSignal: 'SIGKILL',
    uid: user?.uid,
    gid: user?.gid,
  });
  const code = await once(child, 'exit').then(
    ([status]) => status as number | null,
    () => null,
  );
  if (code === 0) return undefined;
  return `the user that functions run as may not open ${device}, which --function-network open needs (it is there with mode 0666 on most machines)`;
}
