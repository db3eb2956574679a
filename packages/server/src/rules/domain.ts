/** Topic rules and their destinations, as core takes them. */
import type { DomainEntry } from '../domain.ts';
import type { PolicyTags } from '../policies/principals.ts';
import type { RulesModule } from './open.ts';
import { rules as ruleRecords, taggableRules } from './store.ts';
import { destinations } from './destination-store.ts';

export interface RulesDeps {
  readonly rules: RulesModule;
  readonly tags: PolicyTags;
}

export const rulesDomain: DomainEntry<RulesDeps> = {
  collections: [destinations, ruleRecords],
  open: ({ rules, tags }) => ({
    name: 'rules',
    taggable: taggableRules,
    operations: ({ store }) => ({ iot: rules.operations(store, tags) }),
    timers: [{ every: 100, failure: 'the rules failed at their timer', run: () => rules.rules.tick() }],
    close: () => rules.close(),
  }),
};
