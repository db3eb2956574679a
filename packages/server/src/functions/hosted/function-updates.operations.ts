/** UpdateFunctionCode, UpdateFunctionConfiguration, PublishVersion, ListVersionsByFunction. Source: Lambda API reference. */
import { randomUUID } from 'node:crypto';
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { LambdaOperations } from '@thingkeep/wire/api/operation-types.ts';
import { checkRuntime, inspected, requiredZip } from './code-input.ts';
import { describe } from './description.ts';
import { readUnqualified } from './names.ts';
import { codeDigest } from '../code/code-store.ts';
import type { HostedOptions } from './options.ts';
import { marker, page } from './paging.ts';
import { getFunction } from './records.ts';
import { settingsOf } from './settings.ts';
import { type FunctionRecord, functions, LATEST, type VersionSettings, versions } from './store.ts';
import { checkRevision, publishVersion } from './versioning.ts';

type Operations = 'UpdateFunctionCode' | 'UpdateFunctionConfiguration' | 'PublishVersion' | 'ListVersionsByFunction';

export function functionUpdateOperations(options: HostedOptions): Handlers<Pick<LambdaOperations, Operations>> {
  const { store, clock, code, pool, tidyCode } = options;

  /** Processes of $LATEST as it was are ended; versions stay as they are. */
  const changed = ({ accountId, region }: Caller, name: string): void =>
    pool.retire({ accountId, region, name }, (revision) => !revision.startsWith(`${LATEST}/`));

  const renewed = (record: FunctionRecord, change: Partial<VersionSettings>): FunctionRecord => ({
    ...record,
    latest: { ...record.latest, ...change, modifiedAt: clock.now(), revisionId: randomUUID() },
  });

  return {
    async UpdateFunctionCode(input, caller) {
      const name = readUnqualified(input.FunctionName ?? '', caller);
      const before = await store.read((tx) => getFunction(tx, caller, name));
      const zip = requiredZip(input);
      checkRevision(before, input.RevisionId);
      await checkRuntime(options, before.latest.runtime);
      await inspected(zip);
      const change = { codeSha256: codeDigest(zip), codeSize: zip.length };
      if (input.DryRun === true)
        return describe(
          caller,
          name,
          LATEST,
          { ...before.latest, ...change },
          undefined,
        ) as LambdaOperations['UpdateFunctionCode']['output'];
      const made = await code.exclusively(async () => {
        await code.put(zip);
        return store.write(async (tx) => {
          const found = await getFunction(tx, caller, name);
          checkRevision(found, input.RevisionId);
          const record = renewed(found, change);
          await tx.put(functions, record);
          return input.Publish === true
            ? publishVersion(tx, record, {}, clock.now())
            : { record, settings: record.latest, version: LATEST };
        });
      });
      changed(caller, name);
      await tidyCode();
      const qualifier = made.version === LATEST ? undefined : made.version;
      return describe(caller, name, made.version, made.settings, qualifier) as LambdaOperations['UpdateFunctionCode']['output'];
    },

    async UpdateFunctionConfiguration(input, caller) {
      const name = readUnqualified(input.FunctionName ?? '', caller);
      if (input.Runtime !== undefined) await checkRuntime(options, input.Runtime);
      if (input.Role !== undefined) await options.checkRole(caller.accountId, input.Role);
      const { latest } = await store.write(async (tx) => {
        const found = await getFunction(tx, caller, name);
        checkRevision(found, input.RevisionId);
        const record = renewed(found, settingsOf(input, caller, found.latest));
        await tx.put(functions, record);
        return record;
      });
      changed(caller, name);
      return describe(caller, name, LATEST, latest, undefined) as LambdaOperations['UpdateFunctionConfiguration']['output'];
    },

    async PublishVersion(input, caller) {
      const name = readUnqualified(input.FunctionName ?? '', caller);
      const { settings, version } = await store.write(async (tx) => {
        const record = await getFunction(tx, caller, name);
        checkRevision(record, input.RevisionId);
        return publishVersion(tx, record, { description: input.Description, codeSha256: input.CodeSha256 }, clock.now());
      });
      return describe(caller, name, version, settings, version) as LambdaOperations['PublishVersion']['output'];
    },

    async ListVersionsByFunction(input, caller) {
      const name = readUnqualified(input.FunctionName ?? '', caller);
      return store.read(async (tx) => {
        const { latest } = await getFunction(tx, caller, name);
        const { items, next } = await page(tx, versions, [caller.accountId, name], input);
        const published = items.map(({ version, settings }) =>
          describe(caller, name, String(version), settings, String(version)),
        );
        const first = input.Marker === undefined || input.Marker === '' ? [describe(caller, name, LATEST, latest, LATEST)] : [];
        return { Versions: [...first, ...published], ...marker(next) } as LambdaOperations['ListVersionsByFunction']['output'];
      });
    },
  };
}
