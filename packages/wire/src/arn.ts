/**
 * Amazon Resource Names of AWS IoT: `arn:aws:iot:{region}:{account}:{type}/{name}`.
 * Source: developer guide, page iot-action-resources; General Reference, ARN format.
 */

export type ResourceType =
  | 'authorizer'
  | 'billinggroup'
  | 'cacert'
  | 'cert'
  | 'certificateprovider'
  | 'client'
  | 'command'
  | 'domainconfiguration'
  | 'fleetmetric'
  | 'index'
  | 'job'
  | 'jobtemplate'
  | 'otaupdate'
  | 'package'
  | 'policy'
  | 'provisioningtemplate'
  | 'rolealias'
  | 'rule'
  | 'ruledestination'
  | 'stream'
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

/**
 * The parts of what may be meant as an ARN, without blanks and in lower case: for checks that forbid what is of
 * another place, in whatever form.
 */
const looseArn = (text: string): Arn | undefined => parseArn(text.replace(/\s+/g, '').toLowerCase());

/** The region in an ARN of a service where it is another one than the place's; undefined for any other text. */
export function otherRegionIn(text: string, service: string, { region }: Pick<Place, 'region'>): string | undefined {
  const arn = looseArn(text);
  return arn?.service === service && arn.region !== region ? arn.region : undefined;
}

/** An account in front of a role's name, wherever it stands in a text. */
const ACCOUNT_OF_ROLE = /(\d{12})\s*:\s*role(?=[/\s])/g;

/** Whether a text names a role of another account, as an ARN of IAM or as a part of one. */
export function isForeignRole(text: string, { accountId }: Pick<Place, 'accountId'>): boolean {
  const arn = looseArn(text);
  if (arn?.service === 'iam' && arn.account !== accountId) return true;
  return [...text.toLowerCase().matchAll(ACCOUNT_OF_ROLE)].some(([, account]) => account !== accountId);
}

/** The name in an ARN of the given type within `place`, or undefined when it is of another place, service or type. */
export function nameInPlace(text: string, place: Place, type: ResourceType): string | undefined {
  const arn = parseArn(text);
  if (arn?.service !== 'iot' || arn.type !== type || arn.region !== place.region || arn.account !== place.accountId)
    return undefined;
  return arn.name === '' ? undefined : arn.name;
}
