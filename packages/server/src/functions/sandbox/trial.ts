/** Tries a sandbox before the first function is taken: whether it can be made, runs the program, and can be watched. */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Launched } from './enclosure.ts';

export interface TrialOptions {
  /** As a function finds it. */
  readonly program: string;
  readonly depth: number;
  readonly isOpen: boolean;
  readonly start: (command: readonly string[]) => Launched;
}

/** Milliseconds that it may take. */
const PATIENCE = 10_000;
/** Milliseconds for what was killed to be gone. */
const ENDING = 2_000;
const UNUSABLE = 73;
/** dash knows no --version: what counts of it is that it can be started. */
const TRIAL = `case $1 in /bin/sh) ;; *) "$1" --version >/dev/null 2>&1 || exit ${UNUSABLE} ;; esac
echo ready
exec sleep 60`;

/** Why it can't be; undefined when it can. */
export async function trial({ program, isOpen, start }: TrialOptions): Promise<string | undefined> {
  const launched = start(['/bin/sh', '-c', TRIAL, 'sh', program]);
  const { child } = launched;
  let said = '';
  const ready = Promise.withResolvers<'ready'>();
  child.stdout.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString()}`.slice(0, 4096);
    if (/^ready$/m.test(said)) ready.resolve('ready');
  });
  const late = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => late.resolve('late'), PATIENCE);
  const ended = once(child, 'close').then(
    ([code]) => code as number | null,
    (error: NodeJS.ErrnoException) => error.code ?? 'unknown',
  );
  try {
    const outcome = await Promise.race([ready.promise, late.promise, ended]);
    if (outcome === 'ready') {
      const holding = launched.look();
      if (holding === undefined) return 'the kernel does not show which processes a function has (CONFIG_PROC_CHILDREN)';
      return holding.blind === undefined ? undefined : `the server may not look at what a function holds (${holding.blind})`;
    }
    if (outcome === UNUSABLE) return `${program} can't be run by the user that functions run as`;
    if (outcome === 'late') return `a sandbox was not made within ${PATIENCE / 1000} s${words(said)}`;
    if (outcome === 'EINVAL') return 'this machine, or the container, has no user 60600 and beyond to run functions as (EINVAL)';
    if (/Can't find source path/.test(said)) return `the user that functions run as can't reach what they need${words(said)}`;
    const what = isOpen ? 'bubblewrap and pasta (bubblewrap, passt) can make no network' : 'bubblewrap may make no namespaces';
    return `${what} on this machine${typeof outcome === 'string' ? ` (${outcome})` : words(said)}`;
  } finally {
    clearTimeout(timer);
    launched.kill();
    // A process that was left over could hold the output open for ever.
    await Promise.race([ended, pause(ENDING, undefined, { ref: false })]);
    child.stdout.destroy();
    await launched.end();
  }
}

/** The first line that a program said of it. */
function words(said: string): string {
  const [line = ''] = said.split('\n').filter((text) => text.trim() !== '' && !/^Failed to send .* to syslog/.test(text));
  return line === '' ? '' : `: ${line.slice(0, 200)}`;
}
