/** Thing types: what may be in one, their life (deprecated, then deletable), and how the API shows one. */
import { defined } from '@thingkeep/wire/defined.ts';
import { isDeepStrictEqual } from 'node:util';
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { type ThingTypeRecord, thingTypes } from './store.ts';

export const thingTypeArn = (place: Place, thingTypeName: string): string => iotArn(place, 'thingtype', thingTypeName);

export async function getThingType(tx: ReadTransaction, accountId: string, thingTypeName: string): Promise<ThingTypeRecord> {
  const found = await tx.get(thingTypes, [accountId, thingTypeName]);
  return found ?? fail('ResourceNotFoundException', `Thing type ${thingTypeName} does not exist`);
}

/** Developer guide, pages thing-types and thing-types-propagating-attributes. */
const MAX_SEARCHABLE = 3;
const MAX_PROPAGATING = 20;

/** CloudFormation user guide, AWS::IoT::ThingType PropagatingAttribute. */
const CONNECTION_ATTRIBUTES: ReadonlySet<string> = new Set(['iot:ClientId', 'iot:Thing.ThingName']);

/** A deprecated type can be deleted five minutes later (developer guide, page thing-types). */
const WAIT = 5 * 60_000;

interface PropagatingAttribute {
  readonly userPropertyKey?: string | undefined;
  readonly thingAttribute?: string | undefined;
  readonly connectionAttribute?: string | undefined;
}

export interface GivenProperties {
  readonly thingTypeDescription?: string | undefined;
  readonly searchableAttributes?: string[] | undefined;
  readonly mqtt5Configuration?: { readonly propagatingAttributes?: PropagatingAttribute[] | undefined } | undefined;
}

export type ThingTypeProperties = Pick<ThingTypeRecord, 'description' | 'searchableAttributes' | 'propagatingAttributes'>;

export function propagating(given: GivenProperties['mqtt5Configuration']): ThingTypeRecord['propagatingAttributes'] {
  const attributes = given?.propagatingAttributes ?? [];
  if (attributes.length > MAX_PROPAGATING)
    fail('InvalidRequestException', `A thing type can have at most ${MAX_PROPAGATING} propagating attributes.`);
  return attributes.map(({ userPropertyKey, thingAttribute, connectionAttribute }) => {
    // API reference PropagatingAttribute: the value comes from the thing or from the connection.
    if ((thingAttribute === undefined) === (connectionAttribute === undefined))
      fail('InvalidRequestException', 'A propagating attribute needs either thingAttribute or connectionAttribute.');
    if (connectionAttribute !== undefined && !CONNECTION_ATTRIBUTES.has(connectionAttribute))
      fail('InvalidRequestException', `Invalid connection attribute: ${connectionAttribute}`);
    return defined({ userPropertyKey, thingAttribute, connectionAttribute });
  });
}

export function thingTypePropertiesOf(given: GivenProperties | undefined): ThingTypeProperties {
  const searchableAttributes = given?.searchableAttributes ?? [];
  if (searchableAttributes.length > MAX_SEARCHABLE)
    fail('InvalidRequestException', `A thing type can have at most ${MAX_SEARCHABLE} searchable attributes.`);
  const description = given?.thingTypeDescription;
  return {
    description,
    searchableAttributes,
    propagatingAttributes: propagating(given?.mqtt5Configuration),
  };
}

export const sameProperties = (
  record: ThingTypeRecord,
  { description, searchableAttributes, propagatingAttributes }: ThingTypeProperties,
): boolean =>
  record.description === description &&
  isDeepStrictEqual([...record.searchableAttributes].sort(), [...searchableAttributes].sort()) &&
  isDeepStrictEqual(record.propagatingAttributes, propagatingAttributes);

export function refuseDeletion({ thingTypeName, deprecatedAt }: ThingTypeRecord, used: boolean, now: number): void {
  const refuse = (why: string): never => fail('InvalidRequestException', `Cannot delete thing type : ${thingTypeName}${why}`);
  if (deprecatedAt === undefined) refuse('. The thing type must be deprecated before it is deleted');
  // Terraform waits and tries again when it reads this text.
  else if (now - deprecatedAt < WAIT) refuse('. Please wait for 5 minutes after deprecation and then retry');
  if (used) refuse(' when there are still things associated with it');
}

export const listedType = (place: Place, record: ThingTypeRecord) => ({
  thingTypeName: record.thingTypeName,
  thingTypeArn: thingTypeArn(place, record.thingTypeName),
  thingTypeProperties: {
    thingTypeDescription: record.description,
    searchableAttributes: [...record.searchableAttributes],
    mqtt5Configuration:
      record.propagatingAttributes.length === 0
        ? undefined
        : { propagatingAttributes: record.propagatingAttributes.map((each) => ({ userPropertyKey: undefined, ...each })) },
  },
  thingTypeMetadata: {
    deprecated: record.deprecatedAt !== undefined,
    deprecationDate: record.deprecatedAt === undefined ? undefined : new Date(record.deprecatedAt),
    creationDate: new Date(record.createdAt),
  },
});
