/** How commands refuse input: the one code that AWS has for it. */
import { fail } from '@thingkeep/wire/errors.ts';

export const invalid = (message: string): never => fail('ValidationException', message);
