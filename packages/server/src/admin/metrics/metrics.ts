/**
 * Every metric of the server, in the order of a scrape. The reference of metrics, the dashboard, the alerts and the tests
 * read this list; a value of a metric that is not here can't be exported.
 */
import { RESERVED_TOPICS } from '@thingkeep/wire/topics.ts';
import { DISCONNECT_REASONS, TOPIC_REQUEST_RESULTS, TRANSPORTS } from '../../broker/contract.ts';
import { DROP_REASONS } from '../../broker/session/delivery-counters.ts';
import { FUNCTION_PLACES, FUNCTION_RESULTS } from '../../functions/function-figures.ts';
import { HANDSHAKE_FAILURES } from '../../gateway/listeners/handshake-figures.ts';
import { SHADOW_REQUESTS, SHADOW_RESULTS } from '../../shadows/shadow-figures.ts';
import { REFUSAL_CHECKS } from '../../refusals/refusals.ts';
import { REASONS } from '../../runtime/readiness.ts';
import type { MetricDeclaration } from './metric-declaration.ts';
import { API_OPERATIONS, API_SERVICES } from './operation-names.ts';

const declare =
  <Type extends MetricDeclaration['type']>(type: Type) =>
  (
    help: string,
    labels?: MetricDeclaration['labels'],
    unit?: MetricDeclaration['unit'],
  ): MetricDeclaration & { readonly type: Type } => ({ type, help, labels, unit });
const counter = declare('counter');
const gauge = declare('gauge');
const histogram = declare('histogram');

const QOS = { qos: ['0', '1'] } as const;
/** Labels of rules, where the operator has asked for them by `--metrics-tenants`. */
const RULE = { account: 'named', region: 'named', rule: 'named' } as const;

/** Kinds of actions, as error documents name them. `Evaluation` is a message whose SQL waits for an answer of a service. */
export const ACTION_KINDS = [
  ...['CloudwatchAlarmAction', 'CloudwatchLogsAction', 'CloudwatchMetricAction', 'DynamoAction', 'DynamoDBv2Action'],
  ...['ElasticsearchAction', 'Evaluation', 'FirehoseAction', 'HttpAction', 'IotAnalyticsAction', 'IotEventsAction'],
  ...['IotSiteWiseAction', 'KafkaAction', 'KinesisAction', 'LambdaAction', 'LocationAction', 'OpenSearchAction'],
  ...['RepublishAction', 'S3Action', 'SalesforceAction', 'SnsAction', 'SqsAction', 'StepFunctionsAction', 'TimestreamAction'],
] as const;
const ACTION = { ...RULE, action: 'named', type: ACTION_KINDS } as const;

/** Topics that clients publish requests on, as filters. */
export const REQUEST_TOPICS: readonly string[] = RESERVED_TOPICS.flatMap(({ pattern, publish }) =>
  publish && !pattern.endsWith('#') ? [pattern] : [],
);

/** What the server's certificates are for. */
export const CERTIFICATE_ROLES = {
  'root-ec': 'the ECDSA authority',
  'root-rsa': 'the RSA authority',
  'device-issuer': "signs devices' certificates",
  'server-ec': 'the ECDSA certificate that listeners show; the server renews its own',
  'server-rsa': 'the RSA certificate that listeners show; the server renews its own',
  domain: 'the first to expire of those of domain configurations',
} as const;

export const METRICS = {
  thingkeep_build_info: {
    type: 'info',
    help: 'The version of the server, and of the Node.js that runs it.',
    labels: { version: 'named', node: 'named' },
  },
  thingkeep_ready: gauge('Whether the server is able to do its work, as /ready says.'),
  thingkeep_unready: gauge('Reasons why the server is not able to do its work: 1 for each that holds.', {
    reason: REASONS,
  }),
  thingkeep_scrape_errors_total: counter('Parts of the server whose metrics could not be collected at a scrape.'),

  thingkeep_connections: gauge(
    'MQTT clients whose CONNECT was accepted, and HTTP connections of the device port, by protocol and by transport.',
    { protocol: ['3.1.1', '5', 'http'], transport: { ...TRANSPORTS, https: 'HTTP connections of devices' } },
  ),
  thingkeep_connections_waiting: gauge('Peers of the MQTT broker whose CONNECT has not been accepted yet.'),
  thingkeep_connects_total: counter('CONNECTs that were accepted, and those that were refused or were none.', {
    result: ['accepted', 'refused'],
  }),
  thingkeep_disconnects_total: counter('Ends of MQTT connections, by the reason that lifecycle events give.', {
    reason: DISCONNECT_REASONS,
  }),
  thingkeep_sessions: gauge('MQTT sessions, by whether their client is connected and whether they outlive the connection.', {
    state: ['online', 'offline'],
    kind: ['clean', 'persistent'],
  }),
  thingkeep_subscriptions: gauge('Subscriptions of all sessions.'),
  thingkeep_sockets: gauge('Open connections that count against --max-connections.'),
  thingkeep_sockets_limit: gauge(
    'Upper bound of open connections: --max-connections, or what the limit of open files leaves room for.',
  ),
  thingkeep_sockets_turned_away_total: counter('Connections that were closed at once because there was no room for more.'),

  thingkeep_messages_received_total: counter('Messages published by MQTT clients, those over HTTPS not among them.', QOS),
  thingkeep_messages_sent_total: counter('Messages sent to MQTT clients, those sent again among them.', QOS),
  thingkeep_messages_dropped_total: counter('Messages that a subscriber did not get, by the reason.', { reason: DROP_REASONS }),
  thingkeep_messages_in_flight: gauge('Messages of QoS 1 that were sent and are not acknowledged.'),
  thingkeep_received_bytes_total: counter('Bytes of MQTT received.', undefined, 'bytes'),
  thingkeep_sent_bytes_total: counter('Bytes of MQTT handed to the network.', undefined, 'bytes'),
  thingkeep_queued_messages: gauge('Messages that wait on disk for clients which are away or slow.'),
  thingkeep_queued_bytes: gauge('Bytes of messages that wait on disk for clients which are away or slow.', undefined, 'bytes'),
  thingkeep_output_bytes: gauge('Bytes in memory that wait for MQTT clients to take them.', undefined, 'bytes'),
  thingkeep_output_limit_bytes: gauge('Bytes that may wait in memory for all MQTT clients together.', undefined, 'bytes'),
  thingkeep_retained_messages: gauge('Retained messages.'),
  thingkeep_retained_bytes: gauge('Bytes of retained messages.', undefined, 'bytes'),
  thingkeep_throttled_total: counter('Messages, connections, subscriptions and requests that a rate refused or held up.'),

  thingkeep_topic_requests_total: counter(
    'Requests over MQTT on reserved topics (shadows, jobs, commands, streams, provisioning), by the topic and what came of it.',
    { topic: REQUEST_TOPICS, result: TOPIC_REQUEST_RESULTS },
  ),
  thingkeep_shadow_requests_total: counter('Requests on shadows, over MQTT and HTTP, by what was asked and what came of it.', {
    request: SHADOW_REQUESTS,
    result: SHADOW_RESULTS,
  }),

  thingkeep_refusals_total: counter(
    'Records of refusals by the check that failed; take-over, not-implemented and rule are notices, which refuse nothing.',
    { check: REFUSAL_CHECKS },
  ),

  thingkeep_tls_handshake_duration_seconds: histogram('Time of TLS handshakes of devices that succeeded.', undefined, 'seconds'),
  thingkeep_tls_handshake_failures_total: counter('TLS handshakes of devices that failed, by the reason.', {
    reason: HANDSHAKE_FAILURES,
  }),
  thingkeep_certificate_remaining_seconds: gauge(
    'Time until a certificate of the server expires; among those of domain configurations, the first to expire.',
    { role: CERTIFICATE_ROLES },
    'seconds',
  ),

  thingkeep_certificates_expiring: gauge(
    'Certificates and CA certificates of all accounts that are not revoked and expire within a time; of each type 100,000 are counted at most, every ten minutes.',
    {
      type: { device: 'certificates of devices', ca: 'CA certificates that accounts have registered' },
      within: ['1d', '7d', '30d'],
    },
  ),

  thingkeep_api_requests_total: counter('Signed requests to the API, and requests of devices over HTTPS.', {
    port: ['api', 'https'],
    service: API_SERVICES,
    operation: API_OPERATIONS,
    status: ['2xx', '3xx', '4xx', '5xx'],
  }),
  thingkeep_api_request_duration_seconds: histogram(
    'Time from the head of a signed request, or of a request over HTTPS, to its answer.',
    { service: API_SERVICES, operation: API_OPERATIONS },
    'seconds',
  ),

  thingkeep_store_commit_duration_seconds: histogram(
    'Time of a commit of the data file, its sync included.',
    undefined,
    'seconds',
  ),
  thingkeep_store_commit_writes: histogram('Writes that one commit of the data file holds.'),
  thingkeep_store_commits_failed_total: counter('Commits of the data file that failed.'),
  thingkeep_store_file_bytes: gauge('Size of the data file and of its log.', { file: ['data', 'log'] }, 'bytes'),
  thingkeep_damaged_records_total: counter('Damaged records of the data file that were met since the start; each counts once.'),
  thingkeep_disk_free_bytes: gauge('Free space of the file system of the data folder.', undefined, 'bytes'),
  thingkeep_disk_floor_bytes: gauge(
    'Free space of the file system of the data folder below which nothing more is stored.',
    undefined,
    'bytes',
  ),
  thingkeep_due_work_waiting: gauge('Items of due work that no server has taken, up to 256 of a kind.', { kind: ['task'] }),
  thingkeep_due_work_running: gauge('Items of due work under way.', { kind: ['task'] }),
  thingkeep_due_work_delay_seconds: gauge(
    'Time for which the oldest item of due work has waited.',
    { kind: ['task'] },
    'seconds',
  ),

  thingkeep_rule_topic_match_total: counter('Messages on the topics of a rule.', RULE),
  thingkeep_rule_passed_total: counter('Messages that a rule acted on.', RULE),
  thingkeep_rule_parse_error_total: counter('Messages for which the SQL of a rule could not be evaluated.', RULE),
  thingkeep_rule_message_throttled_total: counter('Messages that came too fast for a rule or one of its actions.', RULE),
  thingkeep_rule_loops_total: counter('Chains of rules feeding each other that were cut.', RULE),
  thingkeep_rule_action_success_total: counter('Actions of rules that were done.', ACTION),
  thingkeep_rule_action_failure_total: counter('Actions of rules that were given up.', ACTION),
  thingkeep_rule_actions_waiting: gauge('Actions of rules that are not done: under way, waiting, or to be tried again.', {
    type: ACTION_KINDS,
  }),
  thingkeep_rule_not_found_total: counter('Basic Ingest messages whose rule is not there or is disabled.'),
  thingkeep_rule_order_bytes: gauge('Bytes of actions of rules that are not done.', { in: ['memory', 'disk'] }, 'bytes'),

  thingkeep_fleet_metric: gauge(
    'Last values of fleet metrics, by the statistic, the percentile or cardinality; where --metrics-tenants is set.',
    { account: 'named', region: 'named', metric: 'named', value: 'named' },
  ),

  thingkeep_function_invocations_total: counter('Calls of functions, by where they run and what came of it.', {
    place: FUNCTION_PLACES,
    result: FUNCTION_RESULTS,
  }),
  thingkeep_function_duration_seconds: histogram('Time of a call of a function.', { place: FUNCTION_PLACES }, 'seconds'),
  thingkeep_function_invocations_running: gauge('Calls of functions under way.', { place: FUNCTION_PLACES }),
  thingkeep_function_events_waiting: gauge('Asynchronous invocations that wait for their function.'),

  thingkeep_event_loop_delay_seconds: histogram(
    'Time by which the event loop of the process was late for a timer.',
    undefined,
    'seconds',
  ),
  thingkeep_event_loop_delay_max_seconds: gauge(
    'Longest time by which the event loop of the process was late for a timer since the last scrape.',
    undefined,
    'seconds',
  ),
  thingkeep_heap_bytes: gauge("Memory of V8's heap.", { state: ['used', 'free'] }, 'bytes'),
  thingkeep_external_memory_bytes: gauge("Memory of buffers, and of other things beside V8's heap.", undefined, 'bytes'),
  process_start_time_seconds: gauge('Start of the process, in seconds since the epoch.', undefined, 'seconds'),
  process_cpu_seconds_total: counter('Time of processors that the process has used.', undefined, 'seconds'),
  process_resident_memory_bytes: gauge('Resident memory of the process.', undefined, 'bytes'),
  process_open_fds: gauge('Open file descriptors of the process.'),
  process_max_fds: gauge('File descriptors that the process may have open at once.'),
} as const satisfies Record<string, MetricDeclaration>;
