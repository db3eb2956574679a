/** How much memory a process and its children hold, as the kernel counts it (proc(5)). */
import { readFile } from 'node:fs/promises';

/** Bytes of a page: of all kernels that Node runs on here but a few on arm64, where a function's bound is then met later. */
const PAGE = 4096;
const MOST_PROCESSES = 1024;

const textOf = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

/** Bytes resident of a process and all below it; 0 when it has gone. */
export async function residentBytes(pid: number): Promise<number> {
  let bytes = 0;
  const waiting = [pid];
  for (let seen = 0; seen < MOST_PROCESSES; seen += 1) {
    const next = waiting.pop();
    if (next === undefined) break;
    const [, resident = '0'] = (await textOf(`/proc/${next}/statm`)).split(' ');
    bytes += Number(resident) * PAGE;
    const children = await textOf(`/proc/${next}/task/${next}/children`);
    waiting.push(...children.trim().split(' ').filter(Boolean).map(Number));
  }
  return bytes;
}
