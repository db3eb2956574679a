/** What the kernel says of a process: memory, processor time, open descriptors (proc(5)). */
import { readdirSync, readFileSync } from 'node:fs';

/** Milliseconds in a clock tick of proc(5). */
const TICK = 10;

/** User and system time, milliseconds. */
export const cpuOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK;
};

/** Resident memory, bytes. */
export const residentOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;

export const descriptorsOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

export const MIB = 1024 * 1024;

/** Looks at the resident memory of a process now and then; the answer stops that and gives what was seen, bytes. */
export function watchResident(pid: number, everyMs = 250): () => number[] {
  const seen = [residentOf(pid)];
  const timer = setInterval(() => seen.push(residentOf(pid)), everyMs);
  return () => {
    clearInterval(timer);
    return [...seen, residentOf(pid)];
  };
}
