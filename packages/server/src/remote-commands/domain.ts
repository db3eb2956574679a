/** Commands: messages for devices, whose executions they report, as core takes them. */
import type { Messaging } from '../broker/messaging.ts';
import type { DomainEntry, TaggableResources } from '../domain.ts';
import type { PolicyTags } from '../policies/principals.ts';
import type { Refusal } from '../refusals/refusals.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import type { Store } from '../store/contract.ts';
import { commandDeletion } from './command-deletion.ts';
import { executionOperations, executionStarts } from './command-executions.operations.ts';
import { commandOperations } from './commands.operations.ts';
import { executionDeadlines } from './execution-deadlines.ts';
import { commandExecutionEvents } from './execution-events.ts';
import { owedRequests } from './execution-requests.ts';
import { executionUpdateTopics } from './execution-updates.topics.ts';
import { commandBodies, commandExecutions, commands, executionDetails } from './store.ts';

export interface CommandDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly tags: PolicyTags;
  readonly messaging: Messaging;
  readonly inRegion: (region: string) => Store;
  readonly disk: { readonly low: boolean };
  readonly refuse: (refusal: Refusal) => void;
}

const taggable: TaggableResources = {
  command: async (tx, accountId, name) => (await tx.get(commands, [accountId, name])) !== undefined,
};

export const commandDomain: DomainEntry<CommandDeps> = {
  collections: [commands, commandBodies, commandExecutions, executionDetails],
  open: (deps) => {
    const events = commandExecutionEvents(deps.messaging);
    const requests = owedRequests({ ...deps, events });
    return {
      name: 'commands',
      taggable,
      topics: executionUpdateTopics({ ...deps, events }),
      dueWork: [requests, executionDeadlines({ ...deps, events }), commandDeletion(deps.inRegion, deps.tags)],
      operations: ({ store }) => ({
        iot: { ...commandOperations({ ...deps, store }), ...executionOperations({ store }) },
        'iot-jobs-data': executionStarts({ ...deps, store, events }),
      }),
    };
  },
};
