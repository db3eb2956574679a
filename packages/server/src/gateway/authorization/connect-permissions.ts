/** The permission to connect, and the condition context that a CONNECT gives its policies. */
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import type { AdmissionRefusal } from '../../broker/contract.ts';
import type { Connect } from '../../mqtt/connect.ts';
import type { DeviceFacts } from '../../policies/variables.ts';
import { policyRefusal } from '../../refusals/policy-refusal.ts';
import type { ClientPermissions } from './permissions.ts';

/** The part of the condition context that depends on the protocol: an HTTPS request has no client id. */
export type ProtocolContext = Pick<DeviceFacts, 'protocol' | 'clientId' | 'connectAttributes' | 'lastWillTopicArn'>;

/** The condition context of a CONNECT (page connect-policy). */
export const connectContext = (place: Place, connect: Connect): ProtocolContext => ({
  protocol: 'mqtt',
  clientId: connect.clientId,
  connectAttributes: connectAttributes(connect),
  lastWillTopicArn: connect.will === undefined ? undefined : iotArn(place, 'topic', connect.will.topic),
});

/** The features that a CONNECT uses, as `iot:ConnectAttributes` names it (page connect-policy). */
function connectAttributes({ level, clean, will, properties }: Connect): string[] {
  const persistent = level === 5 ? (properties.sessionExpiryInterval ?? 0) > 0 : !clean;
  return [...(persistent ? ['PersistentConnect'] : []), ...(will === undefined ? [] : ['LastWill'])];
}

/** The refusal of a client id that `permissions` do not let connect; undefined when they do. */
export function connectRefusal(
  place: Place,
  clientId: string,
  permissions: ClientPermissions,
): AdmissionRefusal['refused'] | undefined {
  const resource = iotArn(place, 'client', clientId);
  const decision = permissions.decide('iot:Connect', resource);
  if (decision.effect === 'ALLOWED') return undefined;
  return { ...place, clientId, ...policyRefusal({ action: 'iot:Connect', resource, what: `as ${clientId}` }, decision) };
}
