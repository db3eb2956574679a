/** Which program runs a runtime's functions here. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PROGRAM_PATH } from './environment.ts';

/** Any release of Python 3, any of Node.js, and programs that bring their own runtime. */
export type RuntimeKind = 'python' | 'node' | 'provided';

export function kindOf(runtime: string): RuntimeKind | undefined {
  if (/^python3\.\d+$/.test(runtime)) return 'python';
  if (/^nodejs(\d+\.(x|\d+))?$/.test(runtime)) return 'node';
  return /^provided(\.al\d+)?$/.test(runtime) ? 'provided' : undefined;
}

/** Share of a function's memory that JavaScript objects may have: the rest is for Node itself, buffers and code. */
const HEAP = 0.75;

/** The first of these programs in the path of functions. */
export const findProgram = (name: string, folders: readonly string[] = PROGRAM_PATH): string | undefined =>
  folders.map((folder) => join(folder, name)).find((path) => existsSync(path));

export interface ProgramPlaces {
  readonly python: string;
  readonly node: string;
  readonly code: string;
  /** Folder of the bootstraps. */
  readonly runtime: string;
}

/** Program and arguments. */
export function programOf(
  kind: RuntimeKind,
  { python, node, code, runtime }: ProgramPlaces,
  memoryMb: number,
): readonly string[] {
  if (kind === 'python') return [python, `${runtime}/bootstrap.py`];
  if (kind === 'provided') return [`${code}/bootstrap`];
  return [node, `--max-old-space-size=${Math.floor(memoryMb * HEAP)}`, `${runtime}/bootstrap.mjs`];
}

export const NO_PYTHON = `there is no python3 in ${PROGRAM_PATH.join(', ')}; --function-python names one`;
