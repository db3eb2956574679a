/**
 * Amazon Resource Names of AWS IoT: `arn:aws:iot:{region}:{account}:{type}/{name}`.
 * Source: developer guide, page iot-action-resources; General Reference, ARN format.
 */

export type ResourceType =
  | 'authorizer'
  | 'billinggroup'
  | 'cacert'
  | 'cert'
  | 'client'
  | 'domainconfiguration'
  | 'fleetmetric'
  | 'index'
  | 'job'
  | 'jobtemplate'
  | 'policy'
  | 'provisioningtemplate'
  | 'rolealias'
  | 'rule'
  | 'ruledestination'
  | 'thing'
  | 'thinggroup'
  | 'thingtype'
  | 'topic'
  | 'topicfilter';

export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly account: string;
  /** Part before the first slash of the resource. */
  readonly type: string;
  /** Everything behind the first slash; may hold slashes. Empty when there is none. */
  readonly name: string;
}

/** Where a resource lives: what every ARN of one account in one region shares. */
export interface Place {
  readonly region: string;
  readonly accountId: string;
}

/** The place alone, of what has one beside other members. */
export const placeOf = ({ accountId, region }: Place): Place => ({ accountId, region });

/** Text that stands for a place, as a key in memory. */
export const placeKey = ({ accountId, region }: Place): string => `${region}/${accountId}`;

export const iotArn = (place: Place, type: ResourceType, name: string): string =>
  `arn:aws:iot:${place.region}:${place.accountId}:${type}/${name}`;

/** The parts of an ARN, or undefined when `text` is none. */
export function parseArn(text: string): Arn | undefined {
  const parts = text.split(':');
  if (parts.length < 6 || parts[0] !== 'arn') return undefined;
  const [, partition = '', service = '', region = '', account = ''] = parts;
  const resource = parts.slice(5).join(':');
  const slash = resource.indexOf('/');
  return slash < 0
    ? { partition, service, region, account, type: resource, name: '' }
    : { partition, service, region, account, type: resource.slice(0, slash), name: resource.slice(slash + 1) };
}

/** The region in an ARN of a service; undefined for any other text. */
export function regionIn(text: string, service: string): string | undefined {
  const arn = parseArn(text);
  return arn?.service === service ? arn.region : undefined;
}

/** The name in an ARN of the given type within `place`, or undefined when it is of another place, service or type. */
export function nameInPlace(text: string, place: Place, type: ResourceType): string | undefined {
  const arn = parseArn(text);
  if (arn?.service !== 'iot' || arn.type !== type || arn.region !== place.region || arn.account !== place.accountId)
    return undefined;
  return arn.name === '' ? undefined : arn.name;
}
