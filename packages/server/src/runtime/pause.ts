/** A wait that another part may end early: until something that failed is tried again. */
export class Pause {
  #end: (() => void) | undefined;

  /** Resolves after so many milliseconds, or with {@link end}; it keeps no process alive. */
  async wait(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds).unref();
    this.#end = resolve;
    await promise;
    clearTimeout(timer);
    this.#end = undefined;
  }

  end(): void {
    this.#end?.();
  }
}
