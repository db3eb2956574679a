/** Runs a program of the machine and says what came of it. No shell in between, no standard input, a deadline on everything. */
import { spawn } from 'node:child_process';

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly input?: string;
  /** Milliseconds. */
  readonly deadline?: number;
}

/** What a program needs of this machine's environment; nothing that points it at another server or at credentials. */
export const plainEnvironment = (): Record<string, string> => {
  const kept = Object.entries(process.env).filter(
    ([name, value]) => value !== undefined && !/^(AWS|THINGKEEP|TF|NODE)_|_proxy$/i.test(name),
  ) as [string, string][];
  return Object.fromEntries(kept);
};

export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { env = plainEnvironment(), cwd, input = '', deadline = 60_000 } = options;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, cwd, stdio: 'pipe', timeout: deadline, killSignal: 'SIGKILL' });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }));
  });
}

/** As `run`, for a program that must succeed: gives its standard output. */
export async function succeed(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, options);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}\n${stdout}${stderr}`);
  return stdout;
}
