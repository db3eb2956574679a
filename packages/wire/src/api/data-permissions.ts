/**
 * What a device needs a right for when it calls the data plane over HTTP: the actions of its IoT policies and the
 * resources that they are asked on (developer guide, pages iot-policy-actions and iot-action-resources).
 */
import type { CallerPermissions, CallInput, Decision, KeyValues } from './authorization.ts';
import { iotArn, type Place, type ResourceType } from '../arn.ts';
import type { Operation } from './table.ts';

export interface NeededPermission {
  /** Such as `iot:Publish`. */
  readonly action: string;
  /** A whole ARN, or `*` for an action without a resource. */
  readonly resource: string;
  /** Condition keys that this right is asked with, beside those of the request. */
  readonly keys?: readonly (readonly [key: string, value: string])[];
}

type Needed = (input: CallInput, place: Place) => readonly NeededPermission[];

const on =
  (action: string, type: ResourceType, member: string): Needed =>
  (input, place) => [{ action, resource: iotArn(place, type, String(input[member] ?? '')) }];

/** The classic shadow is asked for on its thing, a named one behind the thing's name. */
const onShadow =
  (action: string): Needed =>
  ({ thingName, shadowName }, place) => [
    { action, resource: iotArn(place, 'thing', shadowName === undefined ? `${thingName}` : `${thingName}/${shadowName}`) },
  ];

const publish = on('iot:Publish', 'topic', 'topic');
const retain = on('iot:RetainPublish', 'topic', 'topic');

const NEEDED: ReadonlyMap<string, Needed> = new Map([
  ['Publish', (input, place) => (input.retain === true ? [publish, retain] : [publish]).flatMap((each) => each(input, place))],
  ['GetRetainedMessage', on('iot:GetRetainedMessage', 'topic', 'topic')],
  ['ListRetainedMessages', () => [{ action: 'iot:ListRetainedMessages', resource: '*' }]],
  ['DeleteConnection', on('iot:DeleteConnection', 'client', 'clientId')],
  ['GetConnection', on('iot:GetConnection', 'client', 'clientId')],
  ['ListSubscriptions', on('iot:ListSubscriptions', 'client', 'clientId')],
  ['SendDirectMessage', on('iot:SendDirectMessage', 'client', 'clientId')],
  ['GetThingShadow', onShadow('iot:GetThingShadow')],
  ['UpdateThingShadow', onShadow('iot:UpdateThingShadow')],
  ['DeleteThingShadow', onShadow('iot:DeleteThingShadow')],
  ['ListNamedShadowsForThing', on('iot:ListNamedShadowsForThing', 'thing', 'thingName')],
] satisfies readonly (readonly [string, Needed])[]);

const onThing = (operation: string): readonly [string, Needed] => [
  operation,
  on(`iotjobsdata:${operation}`, 'thing', 'thingName'),
];

/** Of the jobs data plane (Service Authorization Reference, page list_awsiotjobsdataplane). */
const NEEDED_OF_JOBS: ReadonlyMap<string, Needed> = new Map([
  onThing('DescribeJobExecution'),
  onThing('GetPendingJobExecutions'),
  onThing('StartNextPendingJobExecution'),
  onThing('UpdateJobExecution'),
]);

/** All permissions that the operation needs for this input; undefined when no right of a device's policies covers it. */
export function neededPermissions(
  { service, name }: Operation,
  input: object,
  place: Place,
): readonly NeededPermission[] | undefined {
  const needed = service === 'iot-data' ? NEEDED : service === 'iot-jobs-data' ? NEEDED_OF_JOBS : undefined;
  return needed?.get(name)?.(input as CallInput, place);
}

/**
 * What a device's policies decide, under each name that the action has there: those of the jobs data plane had the prefix `iot`
 * once, and policies with it count (developer guide, page iot-policy-actions). A Deny counts under any name, and so does an Allow.
 */
export function decideForDevice(
  permissions: Pick<CallerPermissions, 'decide'>,
  { action, resource }: NeededPermission,
  keys: KeyValues,
): Decision {
  const decision = permissions.decide(action, resource, keys);
  if (!action.startsWith('iotjobsdata:') || decision.effect === 'EXPLICIT_DENY') return decision;
  const older = permissions.decide(action.replace('iotjobsdata:', 'iot:'), resource, keys);
  return older.effect === 'IMPLICIT_DENY' ? decision : older;
}
