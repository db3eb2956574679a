/**
 * Every metric of the server, in the order of a scrape. The reference of metrics, the dashboard, the alerts and the tests
 * read this list; a value of a metric that is not here can't be told.
 */
import { DISCONNECT_REASONS, TRANSPORTS } from '../../broker/contract.ts';
import { DROP_REASONS } from '../../broker/session/delivery-counters.ts';
import { FUNCTION_PLACES, FUNCTION_RESULTS } from '../../functions/function-figures.ts';
import { HANDSHAKE_FAILURES } from '../../gateway/listeners/handshake-figures.ts';
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

/** What the server's certificates are for. */
export const CERTIFICATE_ROLES = ['root-ec', 'root-rsa', 'device-issuer', 'server-ec', 'server-rsa', 'domain'] as const;

export const METRICS = {
  thingkeep_build_info: {
    type: 'info',
    help: 'The version of the server, and of the Node.js that runs it.',
    labels: { version: 'named', node: 'named' },
  },
  thingkeep_ready: gauge('Whether the server is able to do its work, as /ready says.'),
  thingkeep_unready: gauge('Why it is not.', { reason: Object.keys(REASONS) }),
  thingkeep_scrape_errors_total: counter('Parts of the server whose metrics could not be collected at a scrape.'),

  thingkeep_connections: gauge(
    'MQTT clients whose CONNECT was accepted, and HTTP connections of the device port, by protocol and by how they came.',
    { protocol: ['3.1.1', '5', 'http'], transport: [...TRANSPORTS, 'https'] },
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
  thingkeep_sockets_limit: gauge('Connections that may be open at once.'),
  thingkeep_sockets_turned_away_total: counter('Connections that were closed at once because there was no room for more.'),

  thingkeep_messages_received_total: counter('Messages published by MQTT clients.', QOS),
  thingkeep_messages_sent_total: counter('Messages sent to MQTT clients, those sent again among them.', QOS),
  thingkeep_messages_dropped_total: counter('Messages that a subscriber did not get.', { reason: DROP_REASONS }),
  thingkeep_messages_in_flight: gauge('Messages of QoS 1 that were sent and are not acknowledged.'),
  thingkeep_received_bytes_total: counter('Bytes of MQTT received.', undefined, 'bytes'),
  thingkeep_sent_bytes_total: counter('Bytes of MQTT handed to the network.', undefined, 'bytes'),
  thingkeep_queued_messages: gauge('Messages that wait on disk for clients which are away or slow.'),
  thingkeep_queued_bytes: gauge('Bytes of these.', undefined, 'bytes'),
  thingkeep_output_bytes: gauge('Bytes in memory that wait for clients to take them.', undefined, 'bytes'),
  thingkeep_output_limit_bytes: gauge('Bytes that may wait so.', undefined, 'bytes'),
  thingkeep_retained_messages: gauge('Retained messages.'),
  thingkeep_retained_bytes: gauge('Bytes of these.', undefined, 'bytes'),
  thingkeep_throttled_total: counter('Messages, connections, subscriptions and requests that a rate refused or held up.'),

  thingkeep_refusals_total: counter('Devices and requests refused, by the check that failed.', { check: REFUSAL_CHECKS }),

  thingkeep_tls_handshake_duration_seconds: histogram(
    'TLS handshakes of devices that succeeded, from their begin to their end.',
    undefined,
    'seconds',
  ),
  thingkeep_tls_handshake_failures_total: counter('TLS handshakes of devices that failed.', { reason: HANDSHAKE_FAILURES }),
  thingkeep_certificate_remaining_seconds: gauge(
    'Time until a certificate of the server expires; of the domains that first one which does.',
    { role: CERTIFICATE_ROLES },
    'seconds',
  ),

  thingkeep_api_requests_total: counter('Signed requests to the API, and requests of devices over HTTPS.', {
    port: ['api', 'https'],
    service: API_SERVICES,
    operation: API_OPERATIONS,
    status: ['2xx', '3xx', '4xx', '5xx'],
  }),
  thingkeep_api_request_duration_seconds: histogram(
    'Time from the head of such a request to its answer.',
    { service: API_SERVICES, operation: API_OPERATIONS },
    'seconds',
  ),

  thingkeep_store_commit_duration_seconds: histogram(
    'Time of a commit of the data file, its sync included.',
    undefined,
    'seconds',
  ),
  thingkeep_store_commit_writes: histogram('Writes that one commit holds.'),
  thingkeep_store_commits_failed_total: counter('Commits that failed.'),
  thingkeep_store_file_bytes: gauge('Size of the data file and of its log.', { file: ['data', 'log'] }, 'bytes'),
  thingkeep_damaged_records_total: counter('Damaged records that were met since the start; each counts once.'),
  thingkeep_disk_free_bytes: gauge('Free space of the data folder.', undefined, 'bytes'),
  thingkeep_disk_floor_bytes: gauge('Free space below which nothing more is stored.', undefined, 'bytes'),
  thingkeep_due_work_waiting: gauge('Due work that has not been taken, up to 256 of a kind.', { kind: ['task'] }),
  thingkeep_due_work_running: gauge('Due work under way.', { kind: ['task'] }),
  thingkeep_due_work_delay_seconds: gauge('Time for which the oldest due work has waited.', { kind: ['task'] }, 'seconds'),

  thingkeep_rule_topic_match_total: counter('Messages on the topics of a rule.', RULE),
  thingkeep_rule_passed_total: counter('Messages that a rule acted on.', RULE),
  thingkeep_rule_parse_error_total: counter('Messages whose SQL could not be evaluated.', RULE),
  thingkeep_rule_message_throttled_total: counter('Messages that came too fast for a rule or one of its actions.', RULE),
  thingkeep_rule_loops_total: counter('Chains of rules that were cut.', RULE),
  thingkeep_rule_action_success_total: counter('Actions done.', ACTION),
  thingkeep_rule_action_failure_total: counter('Actions given up.', ACTION),
  thingkeep_rule_actions_waiting: gauge('Actions that are not done.', { type: ACTION_KINDS }),
  thingkeep_rule_not_found_total: counter('Basic Ingest messages without an enabled rule.'),
  thingkeep_rule_order_bytes: gauge('Bytes of these.', { in: ['memory', 'disk'] }, 'bytes'),

  thingkeep_function_invocations_total: counter('Calls of functions, by where they run and what came of it.', {
    place: FUNCTION_PLACES,
    result: FUNCTION_RESULTS,
  }),
  thingkeep_function_duration_seconds: histogram('Time of a call of a function.', { place: FUNCTION_PLACES }, 'seconds'),
  thingkeep_function_invocations_running: gauge('Calls of functions under way.', { place: FUNCTION_PLACES }),
  thingkeep_function_events_waiting: gauge('Events for later that wait for their function.'),

  thingkeep_event_loop_delay_seconds: histogram('How late the event loop came to what was due.', undefined, 'seconds'),
  thingkeep_event_loop_delay_max_seconds: gauge('The longest such delay since the last scrape.', undefined, 'seconds'),
  thingkeep_heap_bytes: gauge("Memory of V8's heap.", { state: ['used', 'free'] }, 'bytes'),
  thingkeep_external_memory_bytes: gauge('Memory of buffers, and of other things beside the heap.', undefined, 'bytes'),
  process_start_time_seconds: gauge('Start of the process, in seconds since the epoch.', undefined, 'seconds'),
  process_cpu_seconds_total: counter('Time of processors that the process has used.', undefined, 'seconds'),
  process_resident_memory_bytes: gauge('Resident memory of the process.', undefined, 'bytes'),
  process_open_fds: gauge('Open file descriptors.'),
  process_max_fds: gauge('File descriptors that may be open at once.'),
} as const satisfies Record<string, MetricDeclaration>;
