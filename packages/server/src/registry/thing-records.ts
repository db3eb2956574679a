/** Making and changing a thing in a transaction: CreateThing, UpdateThing, and provisioning, which does both. */
import { randomUUID } from 'node:crypto';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { WriteTransaction } from '../store/contract.ts';
import { refuseOtherVersion } from './expected-version.ts';
import { billingGroupMembers, billingGroupOf, getBillingGroup } from './groups/billing-groups.ts';
import { required } from './required.ts';
import { type ThingRecord, things } from './store.ts';
import { attributesAfter, getThing, refuseTooMany, sameAttributes, thingArn, typeForThing } from './things.ts';

/** Makes the thing. One that is there with the same configuration is given instead (API reference CreateThing). */
export async function createThing(
  tx: WriteTransaction,
  place: Place,
  input: IotOperations['CreateThing']['input'],
  now: number,
): Promise<ThingRecord> {
  const thingName = required(input.thingName, 'thingName');
  const { thingTypeName, billingGroupName } = input;
  const { accountId } = place;
  const attributes = attributesAfter({}, input.attributePayload);
  refuseTooMany(attributes, thingTypeName !== undefined);
  const there = await tx.get(things, [accountId, thingName]);
  if (there !== undefined) {
    const same =
      there.thingTypeName === thingTypeName &&
      (await billingGroupOf(tx, there)) === billingGroupName &&
      sameAttributes(there.attributes, attributes);
    if (same) return there;
    const text = `Thing ${thingName} already exists in account with different tags or properties`;
    fail('ResourceAlreadyExistsException', text, { resourceId: thingName, resourceArn: thingArn(place, thingName) });
  }
  if (thingTypeName !== undefined)
    await typeForThing(tx, accountId, thingTypeName, (name) => `Can not create new thing with deprecated thing type:${name}`);
  const type = thingTypeName === undefined ? {} : { thingTypeName };
  const billing =
    billingGroupName === undefined ? {} : billingGroupMembers(await getBillingGroup(tx, accountId, billingGroupName));
  const made = { ...type, ...billing, attributes, version: 1, createdAt: now };
  const record: ThingRecord = { accountId, thingName, thingId: randomUUID(), ...made };
  await tx.put(things, record);
  return record;
}

/** Changes the thing, and counts its version up. */
export async function updateThing(
  tx: WriteTransaction,
  { accountId }: Place,
  input: IotOperations['UpdateThing']['input'],
): Promise<void> {
  const { thingTypeName, removeThingType = false, expectedVersion, attributePayload } = input;
  if (removeThingType && thingTypeName !== undefined)
    fail('InvalidRequestException', 'thingTypeName and removeThingType can not be given together.');
  const record = await getThing(tx, accountId, required(input.thingName, 'thingName'));
  refuseOtherVersion(`thing ${record.thingName}`, record.version, expectedVersion);
  if (thingTypeName !== undefined && thingTypeName !== record.thingTypeName)
    await typeForThing(tx, accountId, thingTypeName, (name) => `Can not update a thing to use deprecated thing type: ${name}`);
  const { thingTypeName: before, ...rest } = record;
  const type = removeThingType ? undefined : (thingTypeName ?? before);
  const attributes = attributesAfter(record.attributes, attributePayload);
  refuseTooMany(attributes, type !== undefined);
  await tx.put(things, { ...rest, ...defined({ thingTypeName: type }), attributes, version: record.version + 1 });
}
