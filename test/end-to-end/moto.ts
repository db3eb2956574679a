/** moto's server: AWS services in memory, for actions of rules to act on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { plainEnvironment } from './run-command.ts';
import { startDeadline } from './until.ts';

/** The account that moto keeps everything in. */
export const MOTO_ACCOUNT = '123456789012';

export interface Moto extends AsyncDisposable {
  readonly url: string;
  /** Takes nothing and answers nothing, until it goes on. */
  pause(): void;
  goOn(): void;
}

export async function startMoto(): Promise<Moto> {
  const child = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', '0'], {
    env: plainEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const orphaned = (): boolean => child.kill('SIGKILL');
  process.once('exit', orphaned);
  const url = await startDeadline(
    new Promise<string>((resolve, reject) => {
      child.once('close', (code) => reject(new Error(`moto ended with ${code}`)));
      createInterface({ input: child.stderr }).on('line', (line) => {
        const [found] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
        if (found !== undefined) resolve(found);
      });
    }),
  );
  return {
    url,
    pause: () => void child.kill('SIGSTOP'),
    goOn: () => void child.kill('SIGCONT'),
    [Symbol.asyncDispose]: async () => {
      process.off('exit', orphaned);
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    },
  };
}
