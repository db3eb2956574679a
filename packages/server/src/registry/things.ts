/** Things: their attributes (merge, replace, remove, limits), and how the API shows one. */
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { type ThingRecord, type ThingTypeRecord, things, thingTypes } from './store.ts';

export const thingArn = (place: Place, thingName: string): string => iotArn(place, 'thing', thingName);

export async function getThing(tx: ReadTransaction, accountId: string, thingName: string): Promise<ThingRecord> {
  const found = await tx.get(things, [accountId, thingName]);
  return found ?? fail('ResourceNotFoundException', `Thing ${thingName} does not exist`);
}

/**
 * General Reference, "AWS IoT Core endpoints and quotas": attributes of a thing without and with a thing type, and their size.
 */
const ATTRIBUTES = { untyped: 3, typed: 50, bytes: 47 * 1024 };

type Attributes = ThingRecord['attributes'];

/** The attributes after an update: all replaced, or merged; an empty value removes (API reference AttributePayload). */
export function attributesAfter(
  before: Attributes,
  payload: { attributes?: Record<string, string> | undefined; merge?: boolean | undefined } | undefined,
): Attributes {
  if (payload === undefined) return before;
  const after = new Map(payload.merge ? Object.entries(before) : []);
  for (const [name, value] of Object.entries(payload.attributes ?? {})) {
    if (value === '') after.delete(name);
    else after.set(name, value);
  }
  // fromEntries defines members, so that a name such as __proto__ is one among others.
  return Object.fromEntries(after);
}

export function refuseTooMany(attributes: Attributes, typed: boolean): void {
  const entries = Object.entries(attributes);
  const most = typed ? ATTRIBUTES.typed : ATTRIBUTES.untyped;
  if (entries.length > most)
    fail(
      'InvalidRequestException',
      typed
        ? `A thing with a thing type can have at most ${most} attributes.`
        : `To use more than ${most} attributes, a thing must have a type specified.`,
    );
  const bytes = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  if (bytes > ATTRIBUTES.bytes)
    fail('InvalidRequestException', `The attributes of a thing can have at most ${ATTRIBUTES.bytes} bytes.`);
}

export const sameAttributes = (a: Attributes, b: Attributes): boolean =>
  Object.keys(a).length === Object.keys(b).length &&
  Object.entries(a).every(([name, value]) => Object.hasOwn(b, name) && b[name] === value);

/** A type that a thing may be given: it exists, and is not deprecated. */
export async function typeForThing(
  tx: ReadTransaction,
  accountId: string,
  thingTypeName: string,
  refusal: (name: string) => string,
): Promise<ThingTypeRecord> {
  const type = await tx.get(thingTypes, [accountId, thingTypeName]);
  if (type === undefined) return fail('ResourceNotFoundException', `Thing type ${thingTypeName} does not exist`);
  if (type.deprecatedAt !== undefined) return fail('InvalidRequestException', refusal(thingTypeName));
  return type;
}

export const listedThing = (place: Place, record: ThingRecord) => ({
  thingName: record.thingName,
  thingTypeName: record.thingTypeName,
  thingArn: thingArn(place, record.thingName),
  attributes: { ...record.attributes },
  version: record.version,
});

export const describedThing = (place: Place, record: ThingRecord) => ({
  ...listedThing(place, record),
  defaultClientId: record.thingName,
  thingId: record.thingId,
});
