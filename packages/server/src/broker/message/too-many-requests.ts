/** A request on a reserved topic is one too many: nothing of it is done. */
import { ThingkeepError } from '@thingkeep/wire/errors.ts';

export class TooManyRequests extends ThingkeepError {
  constructor(reason: string) {
    super('ThrottlingException', `Rate exceeded: ${reason}`);
  }
}
