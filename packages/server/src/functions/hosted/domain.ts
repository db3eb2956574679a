/** Hosted functions, as core takes them. */
import type { DomainEntry } from '../../domain.ts';
import type { FunctionHosting } from './hosting.ts';
import { aliases, functions, versions } from './store.ts';

export const functionsDomain: DomainEntry<{ readonly hosting: FunctionHosting }> = {
  collections: [aliases, functions, versions],
  open: ({ hosting }) => ({
    name: 'functions',
    operations: ({ store }) => ({ lambda: hosting.operations(store) }),
    timers: [{ every: 250, failure: 'functions failed at their timer', run: () => hosting.tick() }],
  }),
};
