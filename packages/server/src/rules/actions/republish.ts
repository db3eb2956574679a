/** Republish is done by the engine itself, at once: here is only what it is called, and what may be asked of it. */
import { fail } from '@thingkeep/wire/errors.ts';
import { ActionError } from './action-error.ts';
import type { ActionType, ParametersOf } from './contract.ts';

export const republishAction: ActionType<ParametersOf<'republish'>> = {
  name: 'RepublishAction',
  resource: ({ topic = '' }) => topic,
  // Asked where it is published: see rules/republish.ts.
  permissions: () => [],
  check({ topic = '' }) {
    if (topic === '') fail('InvalidRequestException', 'The topic of a republish action is empty');
    // `$` begins a template: a reserved topic is written with two (developer guide, page republish-rule-action).
    if (/^\$(?![{$])/.test(topic))
      fail('InvalidRequestException', `A reserved topic of a republish action begins with $$: $${topic}`);
  },
  async run() {
    throw new ActionError('republish is not ordered', false);
  },
};
