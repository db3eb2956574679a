/** The services of AWS IoT behind reserved topics, by the topics that each has (developer guide, page reserved-topics). */
import { filtersOverlap, sharedFilter } from './topics.ts';

export interface ReservedService {
  /** As a sentence has it: "device shadows are not there yet". */
  readonly name: string;
  readonly filters: readonly string[];
}

const service = (name: string, ...filters: readonly string[]): ReservedService => ({ name, filters });

const events = (...kinds: readonly string[]): string[] => kinds.map((kind) => `$aws/events/${kind}/#`);

export const RESERVED_SERVICES: readonly ReservedService[] = [
  service('secure tunnels', '$aws/things/+/tunnels/#'),
  service('Device Defender metrics', '$aws/things/+/defender/#'),
  service('device locations', '$aws/device_location/#'),
  service('SiteWise topics', '$aws/sitewise/#'),
];

/**
 * Topics of `$aws` that are always served: events of connections, certificates, the registry and jobs, Basic Ingest, provisioning,
 * shadows, jobs, streams, commands.
 */
const SERVED = [
  ...events('presence', 'subscriptions', 'certificates', 'thing', 'thingType', 'thingTypeAssociation'),
  ...events('thingGroup', 'thingGroupMembership', 'thingGroupHierarchy', 'commandExecution', 'job', 'jobExecution'),
  ...['$aws/rules/#', '$aws/certificates/#', '$aws/provisioning-templates/#', '$aws/things/+/shadow/#'],
  ...['$aws/things/+/jobs/#', '$aws/things/+/streams/#', '$aws/commands/#'],
];

/** The service that a topic or filter is of; undefined where it reaches topics that are served in any case. */
export function reservedServiceOf(topicOrFilter: string): ReservedService | undefined {
  if (!topicOrFilter.startsWith('$')) return undefined;
  const filter = sharedFilter(topicOrFilter)?.filter ?? topicOrFilter;
  if (!filter.startsWith('$aws/') || SERVED.some((served) => filtersOverlap(served, filter))) return undefined;
  return RESERVED_SERVICES.find(({ filters }) => filters.some((each) => filtersOverlap(each, filter)));
}
