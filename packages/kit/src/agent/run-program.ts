/** Runs a program without a shell: fixed arguments, a plain environment, a time limit for it and what it has started. */
import { spawn } from 'node:child_process';
import type { AllowedCommand } from './allowed-commands.ts';

export interface ProgramOutcome {
  /** Undefined where it could not be started, or was ended by a signal. */
  readonly code: number | undefined;
  readonly isTimedOut: boolean;
  /** The last bytes of what it wrote, on standard output and error. */
  readonly output: string;
  /** Why it could not be started. */
  readonly failure?: string;
}

/** Bytes of output that are kept. */
const MAX_OUTPUT = 1_000;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** `environment` is all that the program sees beside its path. */
export function runProgram(
  { argv, timeoutSeconds }: AllowedCommand,
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<ProgramOutcome> {
  const [program = '', ...args] = argv;
  // In a group of its own: what it has started ends with it.
  const child = spawn(program, args, {
    cwd: '/',
    env: { PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = Buffer.alloc(0);
  let isTimedOut = false;
  const endAll = (): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // All of it has ended.
    }
  };
  const timer = setTimeout(() => {
    isTimedOut = true;
    endAll();
  }, timeoutSeconds * 1000);
  signal.addEventListener('abort', endAll, { once: true });
  const keep = (chunk: Buffer): void => {
    output = Buffer.concat([output, chunk]).subarray(-MAX_OUTPUT);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return new Promise((resolve) => {
    const end = (code: number | null, failure?: string): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', endAll);
      resolve({ code: code ?? undefined, isTimedOut, output: output.toString(), failure });
    };
    child.once('error', (error) => end(null, error.message));
    // What is left of its group ends with it, so that nothing holds the pipes open; what is in them is still read.
    child.once('exit', endAll);
    child.once('close', (code) => end(code));
  });
}
