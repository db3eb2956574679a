/** What a process was given, to be given back: step after step, and a step that fails keeps none of the others back. */
import type { Logger } from '../../runtime/log.ts';

export interface CleanUpOptions {
  readonly log: Pick<Logger, 'error'>;
  /** Called ahead of each step; a test lets it fail. */
  readonly before?: ((step: string) => void) | undefined;
}

export class CleanUp {
  readonly #options: CleanUpOptions;
  readonly #steps: { readonly name: string; readonly work: () => void | Promise<void> }[] = [];

  constructor(options: CleanUpOptions) {
    this.#options = options;
  }

  add(name: string, work: () => void | Promise<void>): void {
    this.#steps.push({ name, work });
  }

  /** The last first. Never fails. */
  async run(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) await this.#try(step.name, step.work);
  }

  async #try(step: string, work: () => void | Promise<void>): Promise<void> {
    try {
      this.#options.before?.(step);
      await work();
    } catch (error) {
      this.#options.log.error({ event: 'function-clean-up', step, err: error }, 'a step of cleaning up after a function failed');
    }
  }
}
