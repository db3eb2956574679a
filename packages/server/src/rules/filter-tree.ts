/** Topic filters as a tree of levels: which of very many cover a topic, without a look at the others. */

interface FilterLevel<T> {
  readonly next: Map<string, FilterLevel<T>>;
  /** Whose filter ends here, and whose ends here with `#`. */
  readonly here: Set<T>;
  readonly below: Set<T>;
}

const level = <T>(): FilterLevel<T> => ({ next: new Map(), here: new Set(), below: new Set() });

export class FilterTree<T> {
  readonly #root = level<T>();

  add(filter: string, value: T): void {
    const levels = filter.split('/');
    const open = levels.at(-1) === '#';
    if (open) levels.pop();
    let at = this.#root;
    for (const name of levels) {
      let next = at.next.get(name);
      if (next === undefined) {
        next = level();
        at.next.set(name, next);
      }
      at = next;
    }
    (open ? at.below : at.here).add(value);
  }

  /** Values whose filter covers the topic, as `topicMatches` of wire/topics.ts has it. */
  covering(topic: string): T[] {
    const found: T[] = [];
    this.#walk(this.#root, topic.split('/'), 0, topic.startsWith('$'), found);
    return found;
  }

  #walk(at: FilterLevel<T>, levels: readonly string[], depth: number, reserved: boolean, found: T[]): void {
    if (depth === levels.length) {
      found.push(...at.here);
      return;
    }
    // A wildcard in the first place covers no topic that begins with `$` [MQTT-4.7.2-1].
    const wild = depth > 0 || !reserved;
    if (wild) found.push(...at.below);
    const exact = at.next.get(levels[depth] as string);
    if (exact !== undefined) this.#walk(exact, levels, depth + 1, reserved, found);
    const any = wild ? at.next.get('+') : undefined;
    if (any !== undefined) this.#walk(any, levels, depth + 1, reserved, found);
  }
}
