/** Calls of operations, counted by service, operation and class of status, with their times. */
import type { Clock } from './clock.ts';
import { Histogram, SECONDS } from './histogram.ts';

/** Where a call came: at the API port, or at the HTTPS port of devices. */
export type CallPort = 'api' | 'https';

export interface CalledOperation {
  readonly port: CallPort;
  readonly service: string;
  readonly operation: string;
}

export interface OperationFigures extends CalledOperation {
  /** Answers by the first digit of their status. */
  readonly statuses: Map<number, number>;
  readonly time: Histogram;
}

/** Operations that are counted apart; all others are one. There are fewer in the tables. */
const MAX_OPERATIONS = 2_000;
const OTHERS = { service: '', operation: '' };

export class CallFigures {
  readonly #clock: Clock;
  readonly #operations = new Map<string, OperationFigures>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get all(): Iterable<OperationFigures> {
    return this.#operations.values();
  }

  /** Begins a call. The result counts its answer, with the operation where one was found. */
  begin(port: CallPort): (status: number, service?: string, operation?: string) => void {
    const began = this.#clock.monotonic();
    return (status, service = '', operation = '') => {
      const figures = this.#of({ port, service, operation });
      const first = Math.floor(status / 100);
      figures.statuses.set(first, (figures.statuses.get(first) ?? 0) + 1);
      figures.time.observe((this.#clock.monotonic() - began) / 1000);
    };
  }

  #of(called: CalledOperation): OperationFigures {
    const name = `${called.port} ${called.service} ${called.operation}`;
    const known = this.#operations.get(name);
    if (known !== undefined) return known;
    if (this.#operations.size >= MAX_OPERATIONS && called.operation !== '') return this.#of({ ...called, ...OTHERS });
    const figures: OperationFigures = { ...called, statuses: new Map(), time: new Histogram(SECONDS.answer) };
    this.#operations.set(name, figures);
    return figures;
  }
}
