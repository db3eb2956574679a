/** A request of the data plane that is over a rate: counted, recorded, and answered as AWS answers it (429). */
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { AccountSpace } from './routing/account.ts';
import type { Broker } from './broker.ts';
import { reasonOf, type ThrottleKind } from './routing/account-throttle.ts';

/** Fails with `ThrottlingException`. Of one caller and kind, one refusal in ten seconds is recorded. */
export function refuseRequest(
  { counters, refuse }: Broker,
  { place, throttle }: AccountSpace,
  caller: Caller,
  kind: ThrottleKind,
): never {
  const { arn: principal, sourceIp } = caller;
  const reason = reasonOf(kind);
  counters.throttled += 1;
  if (throttle?.records(kind, principal)) refuse({ check: 'rate', reason, protocol: 'https', sourceIp, ...place, principal });
  return fail('ThrottlingException', `Rate exceeded: ${reason}`);
}
