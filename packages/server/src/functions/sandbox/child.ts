/** Child processes that may not have been started: what goes wrong with one is told to its caller, and ends nothing else. */
import type { ChildProcess } from 'node:child_process';

/** There is no process, since the server has no file left for its pipes. */
export class NotStarted extends Error {
  override readonly name = 'NotStarted';
  readonly code = 'EMFILE';
}

/**
 * To be called first thing after `spawn`. A child without a listener for `error` ends the server, also when it can't be killed
 * later. Without files left `spawn` gives a child without streams, whatever its types say, and the error comes after it.
 */
export function startedChild<Child extends ChildProcess>(child: Child, ...streams: readonly ('stdin' | 'stdout')[]): Child {
  child.on('error', () => undefined);
  if (streams.some((name) => !child[name])) throw new NotStarted('no process can be started: the server has no files left');
  return child;
}
