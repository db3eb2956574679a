/**
 * What is known of the thing that a right is asked for, whichever service keeps it: its tags (`aws:ResourceTag`), and of a
 * permission that is to be removed, whose it is.
 */
import { parseFunctionReference } from '@thingkeep/wire/api/function-reference.ts';
import { type Arn, iotArn, parseArn, type Place, type ResourceType } from '@thingkeep/wire/arn.ts';
import type { KeyValues } from '@thingkeep/wire/api/authorization.ts';
import type { ResourceKeys } from './api/key-permissions.ts';
import { domainArn, domainConfigurations } from './domains/store.ts';
import { functions, LATEST, permissionsOf } from './functions/hosted/store.ts';
import { logGroups } from './logs/store.ts';
import { tagsOf } from './registry/tags.ts';
import { serverCertificates } from './server-certificates/store.ts';
import type { ReadTransaction, Store } from './store/contract.ts';

interface ResourceTag {
  readonly Key: string;
  readonly Value?: string | undefined;
}

type TagsIn = (tx: ReadTransaction, arn: Arn, place: Place) => Promise<readonly ResourceTag[]>;

const fromMap = (tags: Readonly<Record<string, string>> = {}): readonly ResourceTag[] =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

/** A domain configuration is asked for by its name, and has its tags under an ARN with its id. */
async function iotTags(tx: ReadTransaction, { type, name }: Arn, place: Place): Promise<readonly ResourceTag[]> {
  const { accountId } = place;
  if (type !== 'domainconfiguration') return tagsOf(tx, accountId, iotArn(place, type as ResourceType, name));
  const record = await tx.get(domainConfigurations, [accountId, name.split('/')[0] ?? '']);
  return record === undefined ? [] : tagsOf(tx, accountId, domainArn(place, record));
}

const lambdaTags: TagsIn = async (tx, { type }, { accountId }) => {
  const { name } = parseFunctionReference(type) ?? {};
  return name === undefined ? [] : fromMap((await tx.get(functions, [accountId, name]))?.tags);
};

/** The resource is `log-group:NAME`, with `:log-stream:...` or `:*` behind it; names of groups have slashes. */
const logTags: TagsIn = async (tx, { type, name }, { accountId }) => {
  const [kind, group] = (name === '' ? type : `${type}/${name}`).split(':');
  return kind !== 'log-group' || group === undefined ? [] : fromMap((await tx.get(logGroups, [accountId, group]))?.tags);
};

const certificateTags: TagsIn = async (tx, { name }, { accountId }) =>
  (await tx.get(serverCertificates, [accountId, name]))?.tags ?? [];

const BY_SERVICE: ReadonlyMap<string, TagsIn> = new Map<string, TagsIn>([
  ['iot', iotTags],
  ['lambda', lambdaTags],
  ['logs', logTags],
  ['acm', certificateTags],
]);

export interface ResourceTagOptions {
  readonly inRegion: (region: string) => Store;
  /** Keys of IAM's own resources: of the account, in no region. */
  readonly iamKeys: (arn: string) => Promise<KeyValues>;
}

/** Of the statement that RemovePermission names (Service Authorization Reference, lambda:Principal). */
async function principalKeys(tx: ReadTransaction, { type }: Arn, { accountId }: Place, input: object): Promise<KeyValues> {
  const { StatementId } = input as { readonly StatementId?: unknown };
  const { name = '', qualifier = LATEST } = parseFunctionReference(type) ?? {};
  const record = await tx.get(functions, [accountId, name]);
  const statements = record === undefined ? [] : (permissionsOf(record, qualifier)?.statements ?? []);
  const found = statements.find(({ sid }) => sid === StatementId);
  return found === undefined ? [] : [['lambda:Principal', found.principal]];
}

/** Resources of another account or region than the request's have no tags that it could be authorized by. */
export function resourceTags({ inRegion, iamKeys }: ResourceTagOptions): ResourceKeys {
  return async ({ action, resource }, place, input) => {
    const arn = parseArn(resource);
    if (arn?.service === 'iam') return iamKeys(resource);
    const tagsIn = BY_SERVICE.get(arn?.service ?? '');
    if (arn === undefined || tagsIn === undefined || arn.region !== place.region || arn.account !== place.accountId) return [];
    return inRegion(place.region).read(async (tx) => {
      const tags = await tagsIn(tx, arn, place);
      const principal = action === 'lambda:RemovePermission' ? await principalKeys(tx, arn, place, input) : [];
      return [...tags.map(({ Key, Value = '' }) => [`aws:ResourceTag/${Key}`, Value] as const), ...principal];
    });
  };
}
