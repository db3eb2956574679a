/**
 * What the process of a function writes: lines, with those that Lambda itself adds (START, END, REPORT), told to the log of
 * the function. Bounded by lines, by bytes of a line and by bytes of an invocation.
 */

export interface LogLine {
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly message: string;
}

/** CloudWatch Logs quotas: bytes of an event, with 26 for itself (1 MB today; the older bound keeps memory small). */
const OVERHEAD = 26;
const LONGEST_LINE = 256 * 1024 - OVERHEAD;
/** Bytes of what one invocation writes that are kept, each line with its overhead: many short lines cost as few long ones. */
const MAX_OF_INVOCATION = 1024 * 1024;
/** Bytes that are gathered before they are told. */
const MAX_GATHERED = 64 * 1024;
/** Lambda API reference, Invoke: the last 4 KB come with the answer. */
const TAIL = 4096;

export interface OutputOptions {
  readonly now: () => number;
  readonly writeLog: (lines: readonly LogLine[]) => void;
}

export class FunctionOutput {
  readonly #options: OutputOptions;
  readonly #decoder = new TextDecoder();
  #partial = '';
  #lines: LogLine[] = [];
  #gathered = 0;
  /** The last lines, and how many characters they have. */
  #tail: string[] = [];
  #tailLength = 0;
  #written = 0;
  #kept = 0;

  constructor(options: OutputOptions) {
    this.#options = options;
  }

  /** Bytes as they come from the process. */
  write(chunk: Uint8Array): void {
    this.#written += chunk.length;
    this.#kept += chunk.length;
    if (this.#kept > MAX_OF_INVOCATION) return;
    const lines = (this.#partial + this.#decoder.decode(chunk, { stream: true })).split('\n');
    this.#partial = lines.pop() ?? '';
    for (const line of lines) {
      this.#kept += OVERHEAD;
      if (this.#kept <= MAX_OF_INVOCATION) this.line(line.replace(/\r$/, ''));
    }
    if (this.#partial.length > LONGEST_LINE) this.#endLine();
  }

  line(message: string): void {
    const shown = message.length > LONGEST_LINE ? message.slice(0, LONGEST_LINE) : message;
    this.#remember(`${shown}\n`);
    if (shown === '') return;
    this.#lines.push({ timestamp: this.#options.now(), message: shown });
    this.#gathered += shown.length + OVERHEAD;
    if (this.#gathered > MAX_GATHERED) this.flush();
  }

  begin(requestId: string, version: string): void {
    this.#tail = [];
    this.#tailLength = 0;
    this.#written = 0;
    this.#kept = 0;
    this.line(`START RequestId: ${requestId} Version: ${version}`);
  }

  /** Ends an invocation; gives the end of what was written in it. */
  end(requestId: string, report: string): string {
    this.#endLine();
    if (this.#kept > MAX_OF_INVOCATION)
      this.line(`The function wrote ${this.#written} bytes; what came after ${MAX_OF_INVOCATION} was dropped`);
    this.line(`END RequestId: ${requestId}`);
    this.line(`REPORT RequestId: ${requestId}\t${report}`);
    this.#written = 0;
    this.#kept = 0;
    this.flush();
    return this.#tail.join('').slice(-TAIL);
  }

  flush(): void {
    const lines = this.#lines;
    this.#lines = [];
    this.#gathered = 0;
    if (lines.length > 0) this.#options.writeLog(lines);
  }

  /** Lines go from the front once those behind them are enough; moved seldom, since each move costs all of them. */
  #remember(line: string): void {
    this.#tail.push(line);
    this.#tailLength += line.length;
    if (this.#tailLength < 16 * TAIL) return;
    const tail = this.#tail.join('').slice(-TAIL);
    this.#tail = [tail];
    this.#tailLength = tail.length;
  }

  #endLine(): void {
    const rest = this.#partial;
    this.#partial = '';
    if (rest !== '') this.line(rest);
  }
}
