/** Hosted functions, as core takes them. */
import type { Domain } from '../../domain.ts';
import type { FunctionHosting } from './hosting.ts';

export const functionsDomain = (hosting: FunctionHosting): Domain => ({
  name: 'functions',
  operations: ({ store }) => ({ lambda: hosting.operations(store) }),
  timers: [{ every: 250, failure: 'functions failed at their timer', run: () => hosting.tick() }],
});
