/** What a Python needs of this machine to run: its own folders, where they are not the system's. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { BubbleUser } from './bubble.ts';
import type { Shown } from './bubblewrap.ts';
import { startedChild } from './child.ts';
import { SandboxDirectoryClosed } from './sandbox-directory.ts';

const isOfSystem = (path: string): boolean => /^\/(?:usr|bin|lib\d*)(?:\/|$)/.test(path);

/** Links on the way to a program: a virtual environment's Python is one, into another folder. */
function chainOf(path: string): string[] {
  const found = [path];
  for (let at = path; found.length < 16 && lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink() === true; ) {
    at = resolve(dirname(at), readlinkSync(at));
    found.push(at);
  }
  return found;
}

/** A server that is not root may not even see it. */
function reachable(program: string): string[] {
  try {
    return chainOf(program);
  } catch (error) {
    throw new SandboxDirectoryClosed(`${program} can't be reached (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** Milliseconds for Python to say where it is. */
const PATIENCE = 10_000;
/** Errors of a machine that is short of something. */
const PASSING = new Set(['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM']);

/** Folders to show, none for the system's own Python. Asked as the user that functions run as. */
export async function pythonPlaces(program: string, user: BubbleUser | undefined): Promise<readonly Shown[]> {
  const chain = reachable(program);
  if (chain.every(isOfSystem)) return [];
  const child = spawn(program, ['-I', '-c', 'import sys; print(sys.prefix, sys.base_prefix, sys.exec_prefix, sep="\\n")'], {
    cwd: '/',
    env: {},
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: PATIENCE,
    killSignal: 'SIGKILL',
    uid: user?.uid,
    gid: user?.gid,
  });
  startedChild(child, 'stdout');
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const closed = once(child, 'close').catch(({ code }: NodeJS.ErrnoException) => {
    // What passes must not be kept as an answer; what stays is told by the trial.
    if (PASSING.has(code ?? '')) throw new SandboxDirectoryClosed(`${program} could not be started (${code})`);
  });
  // What it has started may hold the output open for longer than it lives.
  await Promise.race([closed, pause(PATIENCE, undefined, { ref: false })]);
  child.stdout?.destroy();
  const prefixes = Buffer.concat(chunks).toString().split('\n').filter(Boolean);
  const folders = new Set(
    [...prefixes, ...chain.map((path) => dirname(dirname(path)))].filter((path) => !isOfSystem(path) && path !== '/'),
  );
  return [...folders].sort().map((path) => ({ from: path, to: path }));
}
