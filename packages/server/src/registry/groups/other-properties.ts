/** A group that is created again with other properties than it has (API reference CreateThingGroup, CreateBillingGroup). */
import { fail } from '@thingkeep/wire/errors.ts';

export const refuseOtherProperties = (kind: 'Billing' | 'Thing', groupName: string, resourceArn: string): never =>
  fail(
    'ResourceAlreadyExistsException',
    `${kind} Group ${groupName} already exists in current account with different properties`,
    { resourceId: groupName, resourceArn },
  );
