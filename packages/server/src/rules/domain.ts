/** Topic rules and their destinations, as core takes them. */
import type { Domain } from '../domain.ts';
import type { PolicyTags } from '../policies/principals.ts';
import type { RulesModule } from './open.ts';
import { taggableRules } from './store.ts';

export const rulesDomain = (rules: RulesModule, tags: PolicyTags): Domain => ({
  name: 'rules',
  taggable: taggableRules,
  operations: ({ store }) => ({ iot: rules.operations(store, tags) }),
  timers: [{ every: 100, failure: 'the rules failed at their timer', run: () => rules.rules.tick() }],
  close: () => rules.close(),
});
