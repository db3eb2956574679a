/**
 * Archives of SBOMs are checked in a thread of their own, one at a time over all accounts: to parse them may take seconds, and
 * more memory than their size says. A thread that takes too much of either is ended, and its archive refused.
 */
import { Worker } from 'node:worker_threads';
import { refuseInput } from './packages.ts';
import type { SbomResult } from './store.ts';

export type SbomAnswer = { readonly results: readonly SbomResult[] } | { readonly refusal: string };

/** Milliseconds for one archive, and MiB of the thread's heap. */
const MAX_TIME = 20_000;
const MAX_HEAP = 256;

const TOO_MUCH = 'The SBOM can not be checked: it takes too much time or memory';

function answerOf(zip: Uint8Array, maxTime: number): Promise<SbomAnswer> {
  const own = import.meta.url;
  const worker = new Worker(new URL(`./sbom-thread${own.slice(own.lastIndexOf('.'))}`, own), {
    env: {},
    execArgv: [],
    workerData: zip,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP },
  });
  const late = setTimeout(() => void worker.terminate(), maxTime).unref();
  return new Promise<SbomAnswer>((resolve) => {
    worker.once('message', resolve);
    // A thread without memory fails, and then ends.
    worker.on('error', () => undefined);
    worker.once('exit', () => resolve({ refusal: TOO_MUCH }));
  }).finally(() => clearTimeout(late));
}

export class SbomCheck {
  readonly #maxTime: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(maxTime = MAX_TIME) {
    this.#maxTime = maxTime;
  }

  /** What is found in each file of an archive; fails with ValidationException where it is none, or takes too much. */
  async check(zip: Uint8Array): Promise<readonly SbomResult[]> {
    const turn = this.#last.then(() => answerOf(zip, this.#maxTime));
    this.#last = turn.catch(() => undefined);
    const answer = await turn;
    return 'results' in answer ? answer.results : refuseInput(answer.refusal);
  }
}
