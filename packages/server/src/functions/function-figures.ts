/** Calls of functions, counted: by where the function runs, and what came of the call. */
import type { Clock } from '../runtime/clock.ts';
import { Histogram, SECONDS } from '../runtime/histogram.ts';
import { zeroCounters } from '../runtime/zero-counters.ts';
import { FunctionError, type FunctionFault } from './contract.ts';

export const FUNCTION_PLACES = { hosted: 'in a process of this server', elsewhere: 'at a URL, or in Lambda' } as const;
export type FunctionPlace = keyof typeof FUNCTION_PLACES;

/** What came of a call: an answer, or the fault of its {@link FunctionError}. */
export const FUNCTION_RESULTS = {
  ok: 'an answer',
  failed: 'the function ended with an error',
  timeout: 'no answer in time',
  overload: 'no room to run it',
  refused: 'it may not be called',
  unavailable: 'it could not be started or reached',
} as const satisfies Record<FunctionResult, string>;
export type FunctionResult = 'ok' | FunctionFault;

/** Calls in one place. */
export class FunctionCalls {
  readonly #clock: Clock;
  readonly results = zeroCounters(FUNCTION_RESULTS);
  readonly time = new Histogram(SECONDS.function);
  running = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts a call, and its time. `resultOf` says what an answer, or an error, means. */
  async count<T>(call: () => Promise<T>, resultOf: (answer: T) => FunctionResult, faultOf = resultOfError): Promise<T> {
    const began = this.#clock.monotonic();
    this.running += 1;
    let result: FunctionResult = 'unavailable';
    try {
      const answer = await call();
      result = resultOf(answer);
      return answer;
    } catch (error) {
      result = faultOf(error);
      throw error;
    } finally {
      this.running -= 1;
      this.results[result] += 1;
      this.time.observe((this.#clock.monotonic() - began) / 1000);
    }
  }
}

const resultOfError = (error: unknown): FunctionResult => (error instanceof FunctionError ? error.fault : 'unavailable');

export class FunctionFigures {
  readonly places: Readonly<Record<FunctionPlace, FunctionCalls>>;

  constructor(clock: Clock) {
    this.places = { hosted: new FunctionCalls(clock), elsewhere: new FunctionCalls(clock) };
  }
}
