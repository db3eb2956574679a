/** Thing groups: their properties, hierarchy and versions, and how the API shows one. */
import { randomUUID } from 'node:crypto';
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction, WriteTransaction } from '../../store/contract.ts';
import { refuseOtherVersion } from '../expected-version.ts';
import { type GivenTag, putTags } from '../tags.ts';
import { attributesAfter, sameAttributes } from '../things.ts';
import { refuseOtherProperties } from './other-properties.ts';
import { type ThingGroupQuery, type ThingGroupRecord, thingGroups } from './store.ts';

export const thingGroupArn = (place: Place, groupName: string): string => iotArn(place, 'thinggroup', groupName);

/** Developer guide, page thing-groups: levels of a hierarchy, direct children of a group, attributes. */
const MAX_DEPTH = 7;
const MAX_CHILDREN = 100;
const MAX_ATTRIBUTES = 50;

export interface GivenGroupProperties {
  readonly thingGroupDescription?: string | undefined;
  readonly attributePayload?:
    | { readonly attributes?: Record<string, string> | undefined; readonly merge?: boolean | undefined }
    | undefined;
}

type GroupProperties = Pick<ThingGroupRecord, 'description' | 'attributes'>;

export async function getThingGroup(tx: ReadTransaction, accountId: string, groupName: string): Promise<ThingGroupRecord> {
  const found = await tx.get(thingGroups, [accountId, groupName]);
  return found ?? fail('ResourceNotFoundException', `Thing group ${groupName} does not exist`);
}

/** The properties after an update: the description is replaced; attributes are as a thing's, and stay where none are given. */
export function propertiesAfter(before: GroupProperties['attributes'], given: GivenGroupProperties | undefined): GroupProperties {
  const attributes = attributesAfter(before, given?.attributePayload);
  // The text is AWS's (probe pf-iot-thinggroup-attribute-count).
  if (Object.keys(attributes).length > MAX_ATTRIBUTES)
    fail(
      'InvalidRequestException',
      `Too many attributes specified. The maximum number of attributes allowed for a thing group is ${MAX_ATTRIBUTES}`,
    );
  return { attributes, ...defined({ description: given?.thingGroupDescription }) };
}

/** Ancestors of a group that is made below `parentName`, from the root to the parent. */
async function ancestorsBelow(
  tx: ReadTransaction,
  accountId: string,
  parentName: string | undefined,
): Promise<ThingGroupRecord['ancestors']> {
  if (parentName === undefined) return [];
  const parent = await tx.get(thingGroups, [accountId, parentName]);
  // CreateThingGroup declares no error for what is not there.
  if (parent === undefined) return fail('InvalidRequestException', `Parent thing group ${parentName} does not exist`);
  if (parent.query !== undefined)
    return fail('InvalidRequestException', `Dynamic thing group ${parentName} can not have child groups`);
  if (parent.ancestors.length + 2 > MAX_DEPTH)
    return fail('InvalidRequestException', `The depth of a thing group hierarchy can be at most ${MAX_DEPTH}`);
  const { items } = await tx.scan(thingGroups, { index: 'byParent', prefix: [accountId, parentName], limit: MAX_CHILDREN });
  if (items.length >= MAX_CHILDREN)
    return fail('InvalidRequestException', `Thing group ${parentName} has the maximum number of child groups (${MAX_CHILDREN})`);
  return [...parent.ancestors, { groupName: parentName, groupId: parent.groupId }];
}

export interface NewThingGroup {
  readonly groupName: string;
  readonly parentName?: string | undefined;
  readonly properties?: GivenGroupProperties | undefined;
  readonly query?: ThingGroupQuery | undefined;
  readonly tags?: readonly GivenTag[] | undefined;
}

const sameQuery = (a: ThingGroupQuery | undefined, b: ThingGroupQuery | undefined): boolean =>
  a?.indexName === b?.indexName && a?.queryString === b?.queryString && a?.queryVersion === b?.queryVersion;

/** Creates a group; the same configuration again gives the group that is there (API reference CreateThingGroup). */
export async function createThingGroup(
  tx: WriteTransaction,
  place: Place,
  { groupName, parentName, properties: given, query, tags }: NewThingGroup,
  now: number,
): Promise<ThingGroupRecord> {
  const { accountId } = place;
  const properties = propertiesAfter({}, given);
  const there = await tx.get(thingGroups, [accountId, groupName]);
  if (there !== undefined) {
    const isSame =
      there.description === properties.description &&
      there.ancestors.at(-1)?.groupName === parentName &&
      sameAttributes(there.attributes, properties.attributes) &&
      sameQuery(there.query, query);
    if (isSame) return there;
    refuseOtherProperties('Thing', groupName, thingGroupArn(place, groupName));
  }
  const record: ThingGroupRecord = {
    accountId,
    groupName,
    groupId: randomUUID(),
    ...properties,
    version: 1,
    createdAt: now,
    ancestors: await ancestorsBelow(tx, accountId, parentName),
    ...defined({ query }),
  };
  await tx.put(thingGroups, record);
  await putTags(tx, accountId, thingGroupArn(place, groupName), tags);
  return record;
}

/** Fails where the group is not of the kind that an operation is for, or has another version than its caller expects. */
export function refuseOther(record: ThingGroupRecord, kind: 'static' | 'dynamic', expected: number | undefined): void {
  const isDynamic = record.query !== undefined;
  if (isDynamic !== (kind === 'dynamic'))
    fail('InvalidRequestException', `${record.groupName} is a ${isDynamic ? 'dynamic' : 'static'} thing group`);
  refuseOtherVersion(`thing group ${record.groupName}`, record.version, expected);
}

/** Replaces the properties of a group; of a dynamic one its query as well, where one is given. */
export async function updateThingGroup(
  tx: WriteTransaction,
  accountId: string,
  { groupName, properties, expectedVersion, kind = 'static', queryAfter }: ThingGroupUpdate,
): Promise<ThingGroupRecord> {
  const { description: _, ...record } = await getThingGroup(tx, accountId, groupName);
  refuseOther(record, kind, expectedVersion);
  const query = record.query && queryAfter ? queryAfter(record.query) : record.query;
  const changed = { ...propertiesAfter(record.attributes, properties), ...defined({ query }) };
  const updated = { ...record, ...changed, version: record.version + 1 };
  await tx.put(thingGroups, updated);
  return updated;
}

export interface ThingGroupUpdate {
  readonly groupName: string;
  readonly properties: GivenGroupProperties | undefined;
  readonly expectedVersion?: number | undefined;
  readonly kind?: 'static' | 'dynamic';
  readonly queryAfter?: (before: ThingGroupQuery) => ThingGroupQuery;
}

export const listedGroup = (place: Place, groupName: string) => ({ groupName, groupArn: thingGroupArn(place, groupName) });

export const describedGroup = (place: Place, record: ThingGroupRecord) => {
  const { groupName, description, attributes, ancestors, query } = record;
  const hasAttributes = Object.keys(attributes).length > 0;
  return {
    thingGroupName: groupName,
    thingGroupId: record.groupId,
    thingGroupArn: thingGroupArn(place, groupName),
    version: record.version,
    thingGroupProperties: {
      thingGroupDescription: description,
      attributePayload: hasAttributes ? { attributes: { ...attributes } } : undefined,
    },
    thingGroupMetadata: {
      creationDate: new Date(record.createdAt),
      parentGroupName: ancestors.at(-1)?.groupName,
      rootToParentThingGroups:
        ancestors.length === 0 ? undefined : ancestors.map((ancestor) => listedGroup(place, ancestor.groupName)),
    },
    indexName: query?.indexName,
    queryString: query?.queryString,
    queryVersion: query?.queryVersion,
    status: query?.status,
  };
};
