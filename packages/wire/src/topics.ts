/**
 * Topics and topic filters: validity, matching, and AWS's reserved `$` topics with what a client may do on each.
 * Source: MQTT 3.1.1 section 4.7; AWS IoT developer guide, page reserved-topics; General Reference, quotas.
 */
import { LIMITS } from './limits.ts';
import { holdsControl } from './mqtt/characters.ts';

/** Why a topic or filter is refused; undefined when it is fine. */
export type TopicFault =
  | 'empty'
  | 'too long'
  | 'too many slashes'
  | 'wildcard'
  | 'null character'
  | 'control character'
  | 'malformed share';

/** What is wrong, and what the limit is: ends a sentence. */
export const TOPIC_FAULT_TEXT: Readonly<Record<TopicFault, string>> = {
  empty: 'it is empty',
  'too long': `it is over ${LIMITS.topic} bytes`,
  'too many slashes': `it has more than ${LIMITS.topicSlashes} slashes`,
  wildcard: '+ and # are for filters, where each is a level of its own and # the last one',
  'null character': 'it has a null character',
  'control character': 'it has a control character',
  'malformed share': 'it is not of the form $share/NAME/FILTER',
};

const utf8Length = (text: string): number => {
  let bytes = 0;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (unit >= 0xd800 && unit < 0xdc00) {
      bytes += 4;
      i += 1;
    } else bytes += 3;
  }
  return bytes;
};

const slashes = (text: string): number => {
  let count = 0;
  for (let at = text.indexOf('/'); at >= 0; at = text.indexOf('/', at + 1)) count += 1;
  return count;
};

/**
 * The part that the limits count: without `$aws/rules/{rule}/` (Basic Ingest), and without `$aws/commands/`, whose answers have
 * eight slashes and may be subscribed to (page reserved-topics).
 */
const counted = (topic: string): string => {
  if (topic.startsWith('$aws/commands/')) return topic.slice('$aws/commands/'.length);
  if (!topic.startsWith('$aws/rules/')) return topic;
  const end = topic.indexOf('/', '$aws/rules/'.length);
  return end < 0 ? '' : topic.slice(end + 1);
};

const sizeFault = (text: string, mostSlashes: number = LIMITS.topicSlashes): TopicFault | undefined => {
  const part = counted(text);
  if (utf8Length(part) > LIMITS.topic || utf8Length(text) > 2 * LIMITS.topic) return 'too long';
  return slashes(part) > mostSlashes ? 'too many slashes' : undefined;
};

/** Checks a topic name of a PUBLISH or a will [MQTT-3.3.2-2, MQTT-4.7.3-1]. */
export function topicFault(topic: string): TopicFault | undefined {
  if (topic === '') return 'empty';
  if (topic.includes('\u0000')) return 'null character';
  if (topic.includes('+') || topic.includes('#')) return 'wildcard';
  return sizeFault(topic) ?? (holdsControl(topic) ? 'control character' : undefined);
}

export interface SharedFilter {
  readonly shareName: string;
  readonly filter: string;
}

/** Parts of `$share/{ShareName}/{filter}` [MQTT5 4.8.2]; undefined for any other filter. */
export function sharedFilter(filter: string): SharedFilter | undefined {
  if (!filter.startsWith('$share/')) return undefined;
  const end = filter.indexOf('/', 7);
  return end < 0
    ? { shareName: filter.slice(7), filter: '' }
    : { shareName: filter.slice(7, end), filter: filter.slice(end + 1) };
}

/** Checks a topic filter of a SUBSCRIBE or UNSUBSCRIBE [MQTT-4.7.1-1 to 4.7.1-3], or of a rule, which may have more slashes. */
export function filterFault(filter: string, mostSlashes?: number): TopicFault | undefined {
  if (filter === '') return 'empty';
  if (filter.includes('\u0000')) return 'null character';
  const shared = sharedFilter(filter);
  if (shared !== undefined) {
    if (shared.shareName === '' || /[+#]/.test(shared.shareName) || shared.shareName.length > LIMITS.shareName)
      return 'malformed share';
    // A share of a share is none [MQTT5 4.8.2]; and thousands of them, nested, get no thousand calls.
    if (shared.filter === '' || shared.filter.startsWith('$share/')) return 'malformed share';
    return holdsControl(shared.shareName) ? 'control character' : filterFault(shared.filter);
  }
  const levels = filter.split('/');
  for (const [i, level] of levels.entries()) {
    if (level.includes('#') && (level !== '#' || i !== levels.length - 1)) return 'wildcard';
    if (level.includes('+') && level !== '+') return 'wildcard';
  }
  return sizeFault(filter, mostSlashes) ?? (holdsControl(filter) ? 'control character' : undefined);
}

/**
 * Whether `topic` matches `filter`, as AWS does: `sensor/#` covers `sensor/` and below but not `sensor` itself
 * (developer guide, page topics), and a wildcard in the first place covers no `$` topic [MQTT-4.7.2-1].
 */
export function topicMatches(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && (filter.startsWith('+') || filter.startsWith('#'))) return false;
  const want = filter.split('/');
  const have = topic.split('/');
  for (const [i, level] of want.entries()) {
    if (level === '#') return have.length > i;
    if (i >= have.length || (level !== '+' && level !== have[i])) return false;
  }
  return want.length === have.length;
}

/** What clients may do on a reserved topic; `answer`s and events are the server's own. */
export interface ReservedTopic {
  readonly pattern: string;
  readonly publish: boolean;
  readonly subscribe: boolean;
}

const both = (pattern: string): ReservedTopic => ({ pattern, publish: true, subscribe: true });
const publishOnly = (pattern: string): ReservedTopic => ({ pattern, publish: true, subscribe: false });
const subscribeOnly = (pattern: string): ReservedTopic => ({ pattern, publish: false, subscribe: true });

/** Requests in JSON and in CBOR; nothing else is served. */
const publishInFormats = (prefix: string): readonly ReservedTopic[] =>
  ['json', 'cbor'].map((format) => publishOnly(`${prefix}/${format}`));

/** In order of precedence: the first pattern that matches decides. `+` is one level, `#` the rest, if any. */
export const RESERVED_TOPICS: readonly ReservedTopic[] = [
  subscribeOnly('$aws/events/#'),
  publishOnly('$aws/rules/#'),
  ...publishInFormats('$aws/certificates/create'),
  ...publishInFormats('$aws/certificates/create-from-csr'),
  subscribeOnly('$aws/certificates/create/+/+'),
  subscribeOnly('$aws/certificates/create-from-csr/+/+'),
  ...publishInFormats('$aws/provisioning-templates/+/provision'),
  subscribeOnly('$aws/provisioning-templates/+/provision/+/+'),
  ...['$aws/things/+/shadow', '$aws/things/+/shadow/name/+'].flatMap((prefix) => [
    both(`${prefix}/get`),
    both(`${prefix}/update`),
    both(`${prefix}/delete`),
    ...['get', 'update', 'delete'].flatMap((verb) => [
      subscribeOnly(`${prefix}/${verb}/accepted`),
      subscribeOnly(`${prefix}/${verb}/rejected`),
    ]),
    subscribeOnly(`${prefix}/update/delta`),
    subscribeOnly(`${prefix}/update/documents`),
  ]),
  subscribeOnly('$aws/things/+/jobs/notify'),
  subscribeOnly('$aws/things/+/jobs/notify-next'),
  publishOnly('$aws/things/+/jobs/get'),
  publishOnly('$aws/things/+/jobs/start-next'),
  subscribeOnly('$aws/things/+/jobs/get/+'),
  subscribeOnly('$aws/things/+/jobs/start-next/+'),
  publishOnly('$aws/things/+/jobs/+/get'),
  publishOnly('$aws/things/+/jobs/+/update'),
  subscribeOnly('$aws/things/+/jobs/+/get/+'),
  subscribeOnly('$aws/things/+/jobs/+/update/+'),
  ...publishInFormats('$aws/things/+/streams/+/get'),
  ...publishInFormats('$aws/things/+/streams/+/describe'),
  subscribeOnly('$aws/things/+/streams/+/+/+'),
  subscribeOnly('$aws/things/+/tunnels/notify'),
  ...publishInFormats('$aws/things/+/defender/metrics'),
  subscribeOnly('$aws/things/+/defender/metrics/+/+'),
  subscribeOnly('$aws/commands/+/+/executions/+/request'),
  subscribeOnly('$aws/commands/+/+/executions/+/request/+'),
  ...publishInFormats('$aws/commands/+/+/executions/+/response'),
  subscribeOnly('$aws/commands/+/+/executions/+/response/+'),
  subscribeOnly('$aws/commands/+/+/executions/+/response/+/+'),
  publishOnly('$aws/device_location/+/get_position_estimate'),
  subscribeOnly('$aws/device_location/+/get_position_estimate/+'),
  subscribeOnly('$aws/sitewise/#'),
  // Thingkeep's own: refusals and other news for those who run the server.
  subscribeOnly('$thingkeep/#'),
];

const covers = (pattern: readonly string[], levels: readonly string[]): boolean => {
  for (const [i, want] of pattern.entries()) {
    if (want === '#') return true;
    if (i >= levels.length || (want !== '+' && want !== levels[i])) return false;
  }
  return pattern.length === levels.length;
};

const RESERVED = RESERVED_TOPICS.map((row) => ({ ...row, levels: row.pattern.split('/') }));

/** What clients may do on a topic at all. */
export interface ClientUse {
  readonly publish: boolean;
  readonly receive: boolean;
}

const ANY_USE: ClientUse = { publish: true, receive: true };

/** What clients may do on this topic, in one look at the table. */
export function clientUseOf(topic: string): ClientUse {
  if (!topic.startsWith('$')) return ANY_USE;
  const levels = topic.split('/');
  const { publish = false, subscribe: receive = true } = RESERVED.find((row) => covers(row.levels, levels)) ?? {};
  return { publish, receive };
}

/** Whether a client may publish on this topic at all: any topic without `$`, and reserved ones meant for requests. */
export const clientMayPublish = (topic: string): boolean => clientUseOf(topic).publish;

/**
 * Whether subscribers may get messages of this topic at all: what is on a topic for requests alone is for the service that
 * serves it, however wide a filter is ("P" and not "S" in the table of page reserved-topics).
 */
export const clientMayReceive = (topic: string): boolean => clientUseOf(topic).receive;

/** Whether a message on the topic is never retained, and its retain flag means nothing: requests on shadows. */
export const ignoresRetain = (topic: string): boolean => /^\$aws\/things\/[^/]+\/shadow\//.test(topic);

/** Whether levels of a filter (which may hold wildcards) and of a pattern can name a common topic. */
const overlaps = (pattern: readonly string[], filter: readonly string[]): boolean => {
  for (let i = 0; ; i += 1) {
    if (pattern[i] === '#' || filter[i] === '#') return true;
    if (i >= pattern.length || i >= filter.length) return pattern.length === filter.length;
    if (pattern[i] !== '+' && filter[i] !== '+' && pattern[i] !== filter[i]) return false;
  }
};

/** Whether two filters can match a common topic. */
export const filtersOverlap = (one: string, other: string): boolean => overlaps(one.split('/'), other.split('/'));

/**
 * Whether a client may subscribe to this filter at all: any without `$`, and those that can meet a reserved topic meant for it.
 */
export function clientMaySubscribe(filter: string): boolean {
  if (!filter.startsWith('$')) return true;
  const shared = sharedFilter(filter);
  if (shared !== undefined) return !shared.filter.startsWith('$share/') && clientMaySubscribe(shared.filter);
  const levels = filter.split('/');
  return RESERVED.some((row) => row.subscribe && overlaps(row.levels, levels));
}
