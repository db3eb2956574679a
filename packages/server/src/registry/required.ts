/** Members that the model requires: validation has seen to them, the SDK's types have not. */
import { fail } from '@thingkeep/wire/errors.ts';

export const required = <T>(value: T | undefined, member: string): T =>
  value ?? fail('InvalidRequestException', `Value null at '${member}' failed to satisfy constraint: Member must not be null`);
