/** The refusal of what could not be judged since something that is needed for it could not be read. */
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { AdmissionRefusal } from '../../broker/contract.ts';

/** Of a failure that may be shown (a damaged record) its owner learns which it is. */
export function failureRefusal(what: 'connection' | 'will', error: unknown): AdmissionRefusal['refused'] {
  const reason = `the server could not read what it needs to judge the ${what}`;
  return { check: 'overload', reason: error instanceof ThingkeepError ? `${reason}: ${error.message}` : reason };
}
