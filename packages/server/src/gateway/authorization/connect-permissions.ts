/** Rights of a device, as the broker asks for them, and what of its CONNECT policies may ask about. */
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import type { AdmissionRefusal } from '../../broker/contract.ts';
import type { Connect } from '../../mqtt/connect.ts';
import { timeKeys } from '../../policies/condition.ts';
import type { Rights as PolicyRights } from '../../policies/evaluate.ts';
import type { DeviceFacts } from '../../policies/variables.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ActionRights } from '../authentication/connection-attempt.ts';
import { whyDenied } from './denial-reason.ts';

/** What a login by protocol tells policies: an HTTPS request has no client id. */
export type ProtocolFacts = Pick<DeviceFacts, 'protocol' | 'clientId' | 'connectAttributes' | 'lastWillTopicArn'>;

/** Rights that depend on the time are asked with the time, and their answers are not kept for long. */
export function askedWithTime(rights: PolicyRights, clock: Clock): ActionRights {
  if (!rights.timeDependent) return { volatile: false, decide: (action, resource) => rights.decide(action, resource) };
  return { volatile: true, decide: (action, resource) => rights.decide(action, resource, timeKeys(clock.now())) };
}

/** What a CONNECT tells policies (page connect-policy). */
export const connectFacts = (place: Place, connect: Connect): ProtocolFacts => ({
  protocol: 'mqtt',
  clientId: connect.clientId,
  connectAttributes: connectAttributes(connect),
  lastWillTopicArn: connect.will === undefined ? undefined : iotArn(place, 'topic', connect.will.topic),
});

/** What a CONNECT uses beyond the plain, as `iot:ConnectAttributes` names it (page connect-policy). */
function connectAttributes({ level, clean, will, properties }: Connect): string[] {
  const persistent = level === 5 ? (properties.sessionExpiryInterval ?? 0) > 0 : !clean;
  return [...(persistent ? ['PersistentConnect'] : []), ...(will === undefined ? [] : ['LastWill'])];
}

/** The refusal of a client id that `rights` do not let connect; undefined when they do. */
export function connectRefusal(place: Place, clientId: string, rights: ActionRights): AdmissionRefusal['refused'] | undefined {
  const resource = iotArn(place, 'client', clientId);
  const { effect, ...statement } = rights.decide('iot:Connect', resource);
  if (effect === 'ALLOWED') return undefined;
  return {
    check: 'policy',
    reason: `iot:Connect as ${clientId} is ${whyDenied({ effect, ...statement })}`,
    ...place,
    clientId,
    action: 'iot:Connect',
    resource,
    decision: effect,
    ...statement,
  };
}
