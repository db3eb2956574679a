/** The packets that Microchip's own host library writes, by what it was asked for: golden/, one file a chip. */
import { readFileSync } from 'node:fs';
import type { AteccKind } from '../commands.ts';

export interface GoldenStep {
  /** What was asked for, as the trace says. */
  readonly name: string;
  /** Everything that was written: `W 03 HEX` for a command, `W wordaddr=00` and `W wordaddr=02`. */
  readonly writes: readonly string[];
}

const text = (name: string): string => readFileSync(new URL(`./golden/${name}`, import.meta.url), 'utf8');

export const goldenFile = (name: string): Buffer => readFileSync(new URL(`./golden/${name}`, import.meta.url));

/** The steps of a trace, in order. */
export function goldenSteps(kind: AteccKind): GoldenStep[] {
  const steps: GoldenStep[] = [];
  let writes: string[] = [];
  for (const line of text(`${kind}_packets.txt`).split('\n')) {
    const [, written] = /^ {2}i2c (W .+)$/.exec(line) ?? [];
    if (written !== undefined) writes.push(written);
    else if (writes.length > 0) {
      steps.push({ name: line, writes });
      writes = [];
    }
  }
  return steps;
}

/** What the trace says a slot holds, or a compressed certificate is. */
export function goldenValue(kind: AteccKind, beginning: string): Buffer {
  const line = text(`${kind}_packets.txt`)
    .split('\n')
    .find((each) => each.startsWith(beginning));
  return Buffer.from(line?.split(' ').at(-1) ?? '', 'hex');
}
