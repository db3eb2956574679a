/** RegisterThing: a template is executed with the rights of the caller. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { DeviceIssuer } from '../authority/authority.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import { issueFor, provision } from './execution.ts';
import { planOf } from './plan.ts';
import { callerRights } from './rights.ts';
import { readTemplate } from './template.ts';

export interface ThingRegistrationOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly issuer: Pick<DeviceIssuer, 'prepareFromCsr' | 'issue'>;
}

export const thingRegistrationOperations = ({
  store,
  clock,
  issuer,
}: ThingRegistrationOptions): Handlers<Pick<IotOperations, 'RegisterThing'>> => ({
  async RegisterThing({ templateBody = '', parameters = {} }, caller) {
    const plan = planOf(readTemplate(templateBody, 'registration'), parameters);
    const rights = await callerRights(caller);
    const issued = await issueFor(plan, issuer);
    const { certificate, resourceArns } = await store.write((tx) =>
      provision(tx, plan, { place: caller, now: clock.now(), rights, issued }),
    );
    // A certificate that was named by its id is known to the caller.
    const isNamed = plan.certificate?.source === 'CertificateId';
    return { certificatePem: isNamed ? undefined : certificate?.certificatePem, resourceArns: { ...resourceArns } };
  },
});
