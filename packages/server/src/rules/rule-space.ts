/** The rules of one account in one region: by name, and by the topics that those in force cover. */
import type { CompiledRule } from './compiled-rule.ts';
import { FilterTree } from './filter-tree.ts';

export class RuleSpace {
  readonly byName = new Map<string, CompiledRule>();
  filters = new FilterTree<CompiledRule>();

  put(rule: CompiledRule): void {
    this.byName.set(rule.record.ruleName, rule);
    this.#plant();
  }

  remove(ruleName: string): void {
    this.byName.delete(ruleName);
    this.#plant();
  }

  #plant(): void {
    this.filters = new FilterTree();
    for (const rule of this.byName.values())
      if (!rule.record.ruleDisabled && rule.query.filter !== undefined) this.filters.add(rule.query.filter, rule);
  }
}
