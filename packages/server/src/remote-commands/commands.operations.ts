/** CreateCommand, GetCommand, ListCommands, UpdateCommand, DeleteCommand. */
import { answeringValidation, type Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { PolicyTags } from '../policies/principals.ts';
import { filteredPage } from '../registry/paging.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import { countRecords } from '../store/record-counts.ts';
import { deleteCommand } from './command-deletion.ts';
import { commandSummary, describedCommand, getCommand, getCommandBody } from './commands.ts';
import { commandBody } from './new-command.ts';
import { invalid } from './invalid.ts';
import { commandArn, commandBodies, commands } from './store.ts';

export interface CommandOperationDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly tags: PolicyTags;
}

type Operations = Handlers<
  Pick<IotOperations, 'CreateCommand' | 'GetCommand' | 'ListCommands' | 'UpdateCommand' | 'DeleteCommand'>
>;

/** Commands of an account in a region. */
const MAX_COMMANDS = 10_000;
const PAGE = 100;

export const commandOperations = ({ store, clock, tags }: CommandOperationDeps): Operations =>
  answeringValidation<Operations>({
    async CreateCommand(input, caller) {
      const { commandId = '', namespace = 'AWS-IoT', displayName, description, roleArn } = input;
      const { accountId } = caller;
      const body = commandBody(input);
      const arn = commandArn(caller, commandId);
      await store.write(async (tx) => {
        if ((await tx.get(commands, [accountId, commandId])) !== undefined)
          fail('ConflictException', `The command ${commandId} already exists`, { resourceId: commandId });
        if ((await countRecords(tx, accountId, commands.name, 1)) > MAX_COMMANDS)
          fail('ServiceQuotaExceededException', `An account has at most ${MAX_COMMANDS} commands`);
        const now = clock.now();
        const parameterNames = (body.parameters ?? []).map(({ name }) => name);
        const record = { accountId, commandId, namespace, displayName, description, roleArn, parameterNames };
        await tx.put(commands, { ...record, createdAt: now, lastUpdatedAt: now });
        await tx.put(commandBodies, { accountId, commandId, ...body });
        if (input.tags !== undefined) await tags.put(tx, accountId, arn, input.tags);
      });
      return { commandId, commandArn: arn };
    },

    async GetCommand({ commandId = '' }, caller) {
      return store.read(async (tx) => {
        const command = await getCommand(tx, caller.accountId, commandId);
        return describedCommand(caller, command, await getCommandBody(tx, command));
      });
    },

    async ListCommands({ maxResults = PAGE, nextToken, namespace, commandParameterName, sortOrder }, caller) {
      const reverse = sortOrder !== 'ASCENDING';
      const scan = { index: 'byCreation', prefix: [caller.accountId], after: nextToken, limit: maxResults, reverse };
      const { items, next } = await store.read((tx) =>
        filteredPage(
          tx,
          commands,
          scan,
          (command) =>
            command.deletionAt === undefined &&
            (namespace === undefined || command.namespace === namespace) &&
            (commandParameterName === undefined || command.parameterNames.includes(commandParameterName)),
        ),
      );
      return { commands: items.map((each) => commandSummary(caller, each)), nextToken: next };
    },

    async UpdateCommand({ commandId = '', displayName, description, deprecated }, caller) {
      const { accountId } = caller;
      const updated = await store.write(async (tx) => {
        const command = await getCommand(tx, accountId, commandId);
        if (command.deletionAt !== undefined) fail('ConflictException', `The command ${commandId} is being deleted`);
        const isEdited = displayName !== undefined || description !== undefined;
        if (command.deprecatedAt !== undefined && deprecated !== false && isEdited)
          invalid(`The command ${commandId} is deprecated: it can not be edited before it is restored`);
        const now = clock.now();
        const { deprecatedAt, ...rest } = command;
        const since = (deprecated ?? deprecatedAt !== undefined) ? (deprecatedAt ?? now) : undefined;
        const changed = { ...rest, ...defined({ displayName, description, deprecatedAt: since }), lastUpdatedAt: now };
        await tx.put(commands, changed);
        return changed;
      });
      const { displayName: name, description: text, deprecatedAt, lastUpdatedAt } = updated;
      return {
        commandId,
        displayName: name,
        description: text,
        deprecated: deprecatedAt !== undefined,
        lastUpdatedAt: new Date(lastUpdatedAt),
      };
    },

    async DeleteCommand({ commandId = '' }, caller) {
      const { accountId } = caller;
      const isGone = await store.write(async (tx) => {
        const command = await tx.get(commands, [accountId, commandId]);
        // No error is declared for a command that is not there: it is gone.
        return command === undefined || deleteCommand(tx, tags, caller, command, clock.now());
      });
      return { statusCode: isGone ? 204 : 202 };
    },
  });
