/** Names of things and groups where a request may give a name, an ARN, or both. */
import { nameInPlace, type Place, type ResourceType } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';

export interface NameOrArn {
  readonly name: string | undefined;
  readonly arn: string | undefined;
}

/** The name of the resource; fails where none is given, where the ARN is of another kind or place, and where both differ. */
export function givenName({ name, arn }: NameOrArn, place: Place, type: ResourceType, member: string): string {
  const named = arn === undefined ? name : nameInPlace(arn, place, type);
  if (named === undefined && arn !== undefined)
    return fail('InvalidRequestException', `Invalid ${member}Arn: ${arn.slice(0, 256)}`);
  if (named === undefined) return fail('InvalidRequestException', `Either ${member}Name or ${member}Arn must be provided.`);
  if (name !== undefined && name !== named)
    return fail('InvalidRequestException', `${member}Name and ${member}Arn do not name the same resource.`);
  return named;
}
