/** CreateFunction, GetFunction, GetFunctionConfiguration, ListFunctions, DeleteFunction. Source: Lambda API reference. */
import { randomInt, randomUUID } from 'node:crypto';
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { LambdaOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction, WriteTransaction } from '../../store/contract.ts';
import { checkRuntime, inspected, requiredZip } from './code-input.ts';
import { describe } from './description.ts';
import { readName, readUnqualified } from './names.ts';
import type { HostedOptions } from './options.ts';
import { marker, page } from './paging.ts';
import { getFunction, findVersion } from './records.ts';
import { settingsOf } from './settings.ts';
import { aliases, type FunctionRecord, functionArn, functions, LATEST, versions } from './store.ts';
import { checkTags } from './tags.operations.ts';
import { publishVersion } from './versioning.ts';

type Operations = 'CreateFunction' | 'GetFunction' | 'GetFunctionConfiguration' | 'ListFunctions' | 'DeleteFunction';

/** Functions of an account in a region, and bytes of their archives; ours. */
const MAX_FUNCTIONS = 1_000;
export const MAX_CODE_BYTES = 4 * 1024 * 1024 * 1024;

async function checkRoom(tx: ReadTransaction, { accountId }: Place, size: number): Promise<void> {
  const { items } = await tx.scan(functions, { skipDamaged: true, prefix: [accountId] });
  if (items.length >= MAX_FUNCTIONS)
    fail('InvalidParameterValueException', `An account can have at most ${MAX_FUNCTIONS} functions in a region here.`);
  const bytes = items.reduce((sum, { latest }) => sum + latest.codeSize, size);
  if (bytes > MAX_CODE_BYTES) fail('CodeStorageExceededException', 'Code storage limit exceeded.');
}

async function removeVersion(tx: WriteTransaction, { accountId, name }: FunctionRecord, version: number): Promise<void> {
  const { items } = await tx.scan(aliases, { skipDamaged: true, prefix: [accountId, name] });
  const using = items.filter((alias) => alias.version === String(version) || alias.routing?.version === String(version));
  if (using.length > 0)
    fail(
      'ResourceConflictException',
      `Function version ${version} can not be deleted: the aliases ${using.map(({ alias }) => alias).join(', ')} lead to it.`,
    );
  // One that is not there is gone, as on Lambda.
  await tx.delete(versions, [accountId, name, version]);
}

async function removeFunction(tx: WriteTransaction, { accountId, name }: FunctionRecord): Promise<void> {
  for (const { version } of (await tx.scan(versions, { prefix: [accountId, name] })).items)
    await tx.delete(versions, [accountId, name, version]);
  for (const { alias } of (await tx.scan(aliases, { prefix: [accountId, name] })).items)
    await tx.delete(aliases, [accountId, name, alias]);
  await tx.delete(functions, [accountId, name]);
}

export function functionOperations(options: HostedOptions): Handlers<Pick<LambdaOperations, Operations>> {
  const { store, clock, code, pool, host, tidyCode, endpointUrl } = options;
  return {
    async CreateFunction(input, caller) {
      const name = readUnqualified(input.FunctionName ?? '', caller);
      if (input.PackageType === 'Image')
        fail('InvalidParameterValueException', 'Functions of container images can not be run here.');
      if (input.CodeSigningConfigArn) fail('InvalidParameterValueException', 'There are no code signing configurations here.');
      const plain = settingsOf(input, caller);
      const zip = requiredZip(input.Code ?? {});
      checkTags(input.Tags ?? {});
      await checkRuntime(options, plain.runtime);
      await options.checkRole(caller.accountId, plain.role);
      await inspected(zip);
      const now = clock.now();
      const made = await code.exclusively(async () => {
        const codeSha256 = await code.put(zip);
        return store.write(async (tx) => {
          if ((await tx.get(functions, [caller.accountId, name])) !== undefined)
            fail('ResourceConflictException', `Function already exist: ${name}`);
          await checkRoom(tx, caller, zip.length);
          const latest = { ...plain, codeSha256, codeSize: zip.length, modifiedAt: now, revisionId: randomUUID() };
          const record: FunctionRecord = {
            accountId: caller.accountId,
            name,
            queue: randomInt(2 ** 47),
            createdAt: now,
            latest,
            lastVersion: 0,
            tags: { ...input.Tags },
            permissions: {},
            eventInvoke: {},
          };
          await tx.put(functions, record);
          return input.Publish === true ? publishVersion(tx, record, {}, now) : { record, settings: latest, version: LATEST };
        });
      });
      const qualifier = made.version === LATEST ? undefined : made.version;
      return describe(caller, name, made.version, made.settings, qualifier) as LambdaOperations['CreateFunction']['output'];
    },

    async GetFunction(input, caller) {
      const name = readName(input.FunctionName ?? '', caller, input.Qualifier);
      const { record, settings, version } = await store.read((tx) => findVersion(tx, caller, name));
      const link = code.linkTo(settings.codeSha256, clock.now());
      const { reservedConcurrency, tags } = record;
      return {
        Configuration: describe(caller, record.name, version, settings, name.qualifier),
        Code: { RepositoryType: 'S3', Location: `${endpointUrl()}/functions/code?${link}` },
        Tags: Object.keys(tags).length === 0 ? undefined : { ...tags },
        Concurrency: reservedConcurrency === undefined ? undefined : { ReservedConcurrentExecutions: reservedConcurrency },
      } as LambdaOperations['GetFunction']['output'];
    },

    async GetFunctionConfiguration(input, caller) {
      const name = readName(input.FunctionName ?? '', caller, input.Qualifier);
      const { record, settings, version } = await store.read((tx) => findVersion(tx, caller, name));
      return describe(
        caller,
        record.name,
        version,
        settings,
        name.qualifier,
      ) as LambdaOperations['GetFunctionConfiguration']['output'];
    },

    async ListFunctions(input, caller) {
      return store.read(async (tx) => {
        const { items, next } = await page(tx, functions, [caller.accountId], input);
        const shown: object[] = [];
        for (const { name, latest } of items) {
          const all = input.FunctionVersion === 'ALL';
          shown.push(describe(caller, name, LATEST, latest, all ? LATEST : undefined));
          if (!all) continue;
          for (const { version, settings } of (await tx.scan(versions, { skipDamaged: true, prefix: [caller.accountId, name] }))
            .items)
            shown.push(describe(caller, name, String(version), settings, String(version)));
        }
        return { Functions: shown, ...marker(next) } as LambdaOperations['ListFunctions']['output'];
      });
    },

    async DeleteFunction(input, caller) {
      const { name, qualifier } = readName(input.FunctionName ?? '', caller, input.Qualifier);
      if (qualifier === LATEST || (qualifier !== undefined && !/^\d{1,9}$/.test(qualifier)))
        fail(
          'InvalidParameterValueException',
          qualifier === LATEST
            ? '$LATEST version cannot be deleted without deleting the function.'
            : `Deletion of an alias needs DeleteAlias: ${functionArn(caller, name, qualifier)}`,
        );
      const record = await store.write(async (tx) => {
        const found = await getFunction(tx, caller, name);
        await (qualifier === undefined ? removeFunction(tx, found) : removeVersion(tx, found, Number(qualifier)));
        return found;
      });
      const of = { accountId: caller.accountId, region: caller.region, name };
      pool.retire(of, (revision) => qualifier !== undefined && !revision.startsWith(`${qualifier}/`));
      if (qualifier === undefined) await host.queue.clear(caller.region, record.queue);
      await tidyCode();
      return { StatusCode: 204 };
    },
  };
}
