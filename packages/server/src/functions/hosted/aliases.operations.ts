/** CreateAlias, GetAlias, UpdateAlias, DeleteAlias, ListAliases. Source: Lambda API reference. */
import { defined } from '@thingkeep/wire/defined.ts';
import { randomUUID } from 'node:crypto';
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { LambdaOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction, Store } from '../../store/contract.ts';
import { readName, readUnqualified } from './names.ts';
import { marker, page } from './paging.ts';
import { getFunction, findVersion } from './records.ts';
import { type AliasRecord, aliases, functionArn, LATEST } from './store.ts';

type Operations = 'CreateAlias' | 'GetAlias' | 'UpdateAlias' | 'DeleteAlias' | 'ListAliases';
type AliasDescription = LambdaOperations['GetAlias']['output'];
type Routing = LambdaOperations['CreateAlias']['input']['RoutingConfig'];

/** Aliases of one function; ours. */
const MAX_ALIASES = 1_000;

const describe = (place: Place, record: AliasRecord): AliasDescription =>
  ({
    AliasArn: functionArn(place, record.name, record.alias),
    Name: record.alias,
    FunctionVersion: record.version,
    Description: record.description,
    RevisionId: record.revisionId,
    RoutingConfig:
      record.routing === undefined
        ? undefined
        : { AdditionalVersionWeights: { [record.routing.version]: record.routing.weight } },
  }) as AliasDescription;

function routingOf(given: Routing): AliasRecord['routing'] {
  const [first, ...more] = Object.entries(given?.AdditionalVersionWeights ?? {});
  if (more.length > 0)
    fail('InvalidParameterValueException', 'Number of items in AdditionalVersionWeights cannot be greater than 1');
  if (first === undefined) return undefined;
  const [version, weight] = first;
  if (!(weight >= 0 && weight <= 1))
    fail('InvalidParameterValueException', `Weight for ${version} has to be between 0.0 and 1.0`);
  return { version, weight };
}

/** What an alias leads to has to be there, and events are shared between published versions alone. */
async function checkTarget(tx: ReadTransaction, place: Place, { name, version, routing }: AliasRecord): Promise<void> {
  await findVersion(tx, place, { name, qualifier: version });
  if (routing === undefined) return;
  if (version === LATEST || routing.version === LATEST)
    fail('InvalidParameterValueException', '$LATEST is not supported for an alias pointing to more than 1 version');
  if (routing.version === version)
    fail(
      'InvalidParameterValueException',
      `Invalid function version ${version}. Function version ${version} is already included in routing configuration.`,
    );
  await findVersion(tx, place, { name, qualifier: routing.version });
}

const unknown = (place: Place, name: string, alias: string): never =>
  fail('ResourceNotFoundException', `Cannot find alias arn: ${functionArn(place, name, alias)}`);

export function aliasOperations({ store }: { store: Store }): Handlers<Pick<LambdaOperations, Operations>> {
  return {
    async CreateAlias(input, caller) {
      const { Name: alias = '', FunctionVersion: version = '', Description: description = '' } = input;
      const name = readUnqualified(input.FunctionName ?? '', caller);
      const routing = routingOf(input.RoutingConfig);
      const record: AliasRecord = {
        accountId: caller.accountId,
        name,
        alias,
        version,
        description,
        revisionId: randomUUID(),
        routing,
      };
      await store.write(async (tx) => {
        await getFunction(tx, caller, name);
        if ((await tx.get(aliases, [caller.accountId, name, alias])) !== undefined)
          fail('ResourceConflictException', `Alias already exists: ${functionArn(caller, name, alias)}`);
        if ((await tx.scan(aliases, { skipDamaged: true, prefix: [caller.accountId, name] })).items.length >= MAX_ALIASES)
          fail('InvalidParameterValueException', `A function can have at most ${MAX_ALIASES} aliases here.`);
        await checkTarget(tx, caller, record);
        await tx.put(aliases, record);
      });
      return describe(caller, record);
    },

    async GetAlias({ FunctionName = '', Name = '' }, caller) {
      const name = readUnqualified(FunctionName, caller);
      const record = await store.read((tx) => tx.get(aliases, [caller.accountId, name, Name]));
      return record === undefined ? unknown(caller, name, Name) : describe(caller, record);
    },

    async UpdateAlias(input, caller) {
      const { Name: alias = '', RevisionId } = input;
      const name = readUnqualified(input.FunctionName ?? '', caller);
      const routing = routingOf(input.RoutingConfig);
      const record = await store.write(async (tx) => {
        const before = (await tx.get(aliases, [caller.accountId, name, alias])) ?? unknown(caller, name, alias);
        if (RevisionId !== undefined && RevisionId !== before.revisionId)
          fail('PreconditionFailedException', 'The Revision Id provided does not match the latest Revision Id.');
        const { routing: kept, ...rest } = before;
        const now = input.RoutingConfig === undefined ? kept : routing;
        const after: AliasRecord = {
          ...rest,
          version: input.FunctionVersion ?? before.version,
          description: input.Description ?? before.description,
          revisionId: randomUUID(),
          ...defined({ routing: now }),
        };
        await checkTarget(tx, caller, after);
        await tx.put(aliases, after);
        return after;
      });
      return describe(caller, record);
    },

    async DeleteAlias({ FunctionName = '', Name = '' }, caller) {
      // One that is not there is gone, as on Lambda: the operation declares no error for it.
      const { name } = readName(FunctionName, caller);
      await store.write((tx) => tx.delete(aliases, [caller.accountId, name, Name]));
      return {};
    },

    async ListAliases(input, caller) {
      const name = readUnqualified(input.FunctionName ?? '', caller);
      return store.read(async (tx) => {
        await getFunction(tx, caller, name);
        const { items, next } = await page(tx, aliases, [caller.accountId, name], input);
        const leads = ({ version }: AliasRecord): boolean =>
          input.FunctionVersion === undefined || version === input.FunctionVersion;
        return { Aliases: items.filter(leads).map((each) => describe(caller, each)), ...marker(next) };
      });
    },
  };
}
