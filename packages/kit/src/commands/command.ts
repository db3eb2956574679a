/** What a command of `thingkit` is: a row with its flags, its help and what it does. */
import type { KitClock } from '../clock.ts';

export interface Flag {
  /** Without the dashes. */
  readonly name: string;
  /** What its value is, in capitals, as the help shows it; absent for a switch. */
  readonly value?: string;
  /** One letter. */
  readonly short?: string;
  readonly isRepeated?: boolean;
  readonly isRequired?: boolean;
  readonly what: string;
  /** Values that it takes, where they are few: shell completion offers them. */
  readonly oneOf?: readonly string[];
  /** Its value is a path: shell completion offers files. */
  readonly isPath?: boolean;
}

/** What was given on a command line. */
export interface Given {
  /** The value of a flag; undefined where it was not given. */
  text(name: string): string | undefined;
  /** The value of a flag that is required. */
  needed(name: string): string;
  all(name: string): readonly string[];
  has(name: string): boolean;
  /** A whole number within bounds; `otherwise` where it was not given. */
  number(name: string, otherwise: number, bounds: { readonly least: number; readonly most: number }): number;
  readonly positionals: readonly string[];
}

/** Where a command runs: what it may know of its surroundings, and how it speaks. */
export interface Surroundings {
  readonly clock: KitClock;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Says a line while it works, to people alone. */
  say(line: string): void;
  /** Shows how far a long work is, in one line that is written over; of people at a terminal alone. */
  progress(line: string): void;
  /** The next line of standard input; undefined at its end. `question` is shown to people. */
  ask(question: string): Promise<string | undefined>;
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
}

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue | undefined };

export interface CommandResult {
  /** What `--json` prints. */
  readonly data: JsonValue;
  /** What is printed without; ends without a newline, and may be empty. */
  readonly text: string;
  /** 0 where it is absent. */
  readonly exitCode?: number;
}

export interface Command {
  /** Its words: `csr`, or `ca root`. */
  readonly name: string;
  readonly summary: string;
  /** Names of what follows the flags, in capitals; `[X]` may be absent. */
  readonly positionals?: readonly string[];
  readonly flags: readonly Flag[];
  /** At least one: a whole line each, that works. */
  readonly examples: readonly string[];
  /** It writes somewhere, and has `--dry-run`, which says what would be written. */
  readonly isWriting?: boolean;
  run(given: Given, surroundings: Surroundings): Promise<CommandResult>;
}

/** Exit codes of every command; docs/kit.md lists them. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  element: 3,
  service: 4,
  verification: 5,
  partial: 6,
  unreachable: 7,
} as const;

export type ExitReason = Exclude<keyof typeof EXIT, 'done'>;

/** What a command could not do; the message is for its user, and `hint` says what they can do. */
export class KitError extends Error {
  override readonly name = 'KitError';
  readonly reason: ExitReason;
  readonly hint: string | undefined;

  constructor(reason: ExitReason, message: string, { hint, cause }: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause });
    this.reason = reason;
    this.hint = hint;
  }
}
