/** Failures inside of an authentication, as refusals: what is needed for it could not be read. */
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { Admission, AdmissionRefusal } from '../../broker/contract.ts';
import type { Logger } from '../../runtime/log.ts';

type Authenticated = 'connection' | 'will';

/** The refusal of a failure. A failure that may be shown (a damaged record) is named in it, for its owner. */
export function failureRefusal(what: Authenticated, error: unknown): AdmissionRefusal['refused'] {
  const reason = `the server could not read what it needs to authorize the ${what}`;
  return { check: 'overload', reason: error instanceof ThingkeepError ? `${reason}: ${error.message}` : reason };
}

const LINES: Readonly<Record<Authenticated, string>> = {
  connection: 'a connection could not be authorized',
  will: 'a stored will could not be authorized',
};

/** The result of `authenticate`; when it fails, a refusal and a line in the log. */
export async function refuseFailures(
  log: Logger,
  what: Authenticated,
  authenticate: () => Promise<Admission | AdmissionRefusal>,
): Promise<Admission | AdmissionRefusal> {
  try {
    return await authenticate();
  } catch (error) {
    log.error({ err: error }, LINES[what]);
    return { refused: failureRefusal(what, error) };
  }
}
