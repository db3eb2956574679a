/** The permission to connect, and the condition context that a CONNECT gives its policies. */
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import type { AdmissionRefusal } from '../../broker/contract.ts';
import type { Connect } from '../../mqtt/connect.ts';
import { timeKeys } from '../../policies/condition.ts';
import type { Rights as PolicyRights } from '../../policies/evaluate.ts';
import type { DeviceFacts } from '../../policies/variables.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ActionRights } from '../authentication/connection-attempt.ts';
import { whyDenied } from './denial-reason.ts';

/** The part of the condition context that depends on the protocol: an HTTPS request has no client id. */
export type ProtocolContext = Pick<DeviceFacts, 'protocol' | 'clientId' | 'connectAttributes' | 'lastWillTopicArn'>;

/** Permissions whose conditions on the time are evaluated by the clock; such decisions are volatile. */
export function withClock(rights: PolicyRights, clock: Clock): ActionRights {
  if (!rights.timeDependent) return { volatile: false, decide: (action, resource) => rights.decide(action, resource) };
  return { volatile: true, decide: (action, resource) => rights.decide(action, resource, timeKeys(clock.now())) };
}

/** The condition context of a CONNECT (page connect-policy). */
export const connectContext = (place: Place, connect: Connect): ProtocolContext => ({
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
