/** The arrows of the house: what each room may import. ARCHITECTURE.md says the same in words; the reasons here are its invariants. */

import { BROKER_ROOMS } from './law-broker.ts';
import { type Room, room } from './room.ts';

export type { Room } from './room.ts';

const files = (folder: string, ...names: readonly string[]): string[] => names.map((name) => `${folder}/${name}.ts`);

/** Packages of which wire takes types, and nothing that runs. */
export const WIRE_TYPES = [
  '@aws-sdk/client-iam',
  '@aws-sdk/client-iot',
  '@aws-sdk/client-iot-data-plane',
  '@aws-sdk/client-iot-jobs-data-plane',
  '@aws-sdk/client-lambda',
  '@aws-sdk/client-sts',
];

/** Rooms of packages/server/src, leaves first. A file's room is the longest name here that its path begins with. */
export const SERVER_ROOMS: Readonly<Record<string, Room>> = {
  'runtime/': room(
    'runtime is a closed list of small things that know nothing of the rest',
    [],
    ['crypto', 'fs', 'fs/promises', 'net', 'os'],
    ['pino'],
  ),
  'config/': room(
    'config is read before anything else is there',
    ['outgoing/allowed.ts', 'runtime/sealed-json.ts', 'runtime/fsync-folder.ts'],
    ['crypto', 'fs', 'path'],
  ),
  'installation/': room(
    'the parts of a data folder know each other: what is in them is for others to read',
    [
      ...['runtime/', 'config/', 'store/contract.ts', 'store/marks.ts', 'store/regional.ts'],
      ...['audit/', 'credentials/session-tokens.ts'],
    ],
    ['crypto', 'fs', 'fs/promises', 'path'],
  ),
  'store/': room('the contract knows no engine', ['runtime/disk-failure.ts', 'runtime/log.ts']),
  'store/sqlite/': room(
    'an engine knows the contract and nothing of what is kept',
    ['store/', 'runtime/disk-failure.ts', 'runtime/fsync-folder.ts'],
    ['crypto', 'fs', 'fs/promises', 'path', 'sqlite', 'zlib'],
  ),
  'collections.ts': room('a list of what is kept, for the engine', [
    ...['audit/store.ts', 'authorizers/store.ts', 'credentials/store.ts', 'domains/store.ts', 'events/store.ts'],
    ...[
      'functions/hosted/store.ts',
      'gateway/admission/claim-stored.ts',
      'iam/store.ts',
      'installation/store.ts',
      'logs/store.ts',
    ],
    ...['policies/store.ts', 'registry/store.ts', 'rules/destination-store.ts', 'rules/store.ts'],
    ...['broker/connection/connection-record.ts', 'broker/routing/retained-record.ts', 'broker/routing/retained-usage.ts'],
    ...['broker/session/session.ts', 'broker/session/shared-group.ts'],
    ...['server-certificates/store.ts', 'store/'],
  ]),
  'authority/': room(
    'authority holds the keys: it imports no other domain and sees no socket',
    ['runtime/'],
    ['crypto', 'fs/promises', 'path', 'util'],
    ['@thingkeep/x509'],
  ),
  'refusals/': room('whoever refuses records it here, so this room may need nobody', ['runtime/']),
  'audit/': room(
    'the audit log writes lines that it is handed, and knows nothing of what they are about',
    ['runtime/', 'store/contract.ts', 'store/pages.ts'],
    ['buffer', 'crypto', 'fs', 'path'],
  ),
  'policies/': room('a decision is a pure function: no socket, no file, no clock but the one handed in', [
    'domain.ts',
    'runtime/',
    'store/contract.ts',
    'store/damage.ts',
    'store/pages.ts',
  ]),
  'outgoing/': room(
    'addresses that a user chose are judged here, and requests to them begin here alone',
    ['policies/ip-address.ts'],
    ['dns/promises', 'http', 'https', 'net', 'os'],
  ),
  'functions/': room('functions are called from here alone, wherever they are', ['runtime/', 'outgoing/'], ['http']),
  'functions/code/': room(
    'archives are judged and unpacked here, and nothing of them is run',
    [],
    ['crypto', 'fs', 'fs/promises', 'path', 'stream', 'stream/promises'],
    ['yauzl'],
  ),
  'functions/sandbox/': room(
    'the only starter of processes: it knows no record, and is told what to run and with which credentials',
    ['runtime/', 'functions/code/'],
    ['child_process', 'crypto', 'events', 'fs', 'fs/promises', 'http', 'net', 'os', 'path', 'stream', 'timers/promises'],
  ),
  'functions/hosted/': room(
    'hosted functions are records, rights and a queue; what runs them is behind the pool',
    ['domain.ts', 'runtime/', 'store/contract.ts', 'store/pages.ts', 'functions/', 'functions/code/', 'functions/sandbox/'],
    ['crypto', 'path'],
  ),
  'logs/': room(
    'log groups keep lines within bounds, whoever wrote them',
    ['domain.ts', 'runtime/', 'store/contract.ts', 'store/pages.ts'],
    ['crypto'],
  ),
  'authorizers/': room(
    'authorizers keep records and ask a function that is handed in: no socket, and nothing of who connects',
    [
      'domain.ts',
      'runtime/',
      'store/claims.ts',
      'store/contract.ts',
      'store/pages.ts',
      'functions/contract.ts',
      'outgoing/author.ts',
    ],
    ['crypto'],
  ),
  'server-certificates/': room(
    'certificates that are brought for host names, with their keys: what the API shows of them has no key at hand',
    ['domain.ts', 'runtime/', 'store/contract.ts', 'store/pages.ts'],
    ['crypto'],
    ['@thingkeep/x509'],
  ),
  'domains/': room(
    'domain configurations keep records and an answer in memory; certificates are theirs to serve, not to make',
    [
      'domain.ts',
      'runtime/',
      'store/contract.ts',
      'store/changes.ts',
      'store/pages.ts',
      'policies/principals.ts',
      'server-certificates/store.ts',
      'outgoing/author.ts',
    ],
    ['crypto'],
    ['@thingkeep/x509'],
  ),
  'credentials/': room(
    'credentials are made of a secret and a session; who asks, and with what rights, is told',
    ['domain.ts', 'runtime/', 'store/contract.ts', 'store/pages.ts', 'policies/principals.ts'],
    ['crypto'],
  ),
  'iam/': room(
    'IAM keeps identities and judges what they ask for; who has signed is proven elsewhere, and what they then do is done elsewhere',
    [
      'domain.ts',
      'runtime/',
      'store/contract.ts',
      'store/changes.ts',
      'store/pages.ts',
      'policies/compile.ts',
      'policies/condition.ts',
      'policies/context.ts',
      'policies/effective.ts',
      'policies/evaluate.ts',
      'credentials/role-arn.ts',
      'credentials/session-tokens.ts',
      'credentials/temporary-keys.ts',
    ],
    ['crypto', 'util'],
  ),
  'mqtt/': room('the codec knows bytes and packets, nothing of who sends them', [], ['buffer']),
  'registry/': room(
    'registry keeps records and follows whose permissions change; it asks policies for their records and authority for certificates, through these files alone',
    [
      'domain.ts',
      'runtime/',
      'store/claims.ts',
      'store/contract.ts',
      'store/changes.ts',
      'store/pages.ts',
      'policies/principals.ts',
      'policies/permission-changes.ts',
      'policies/store.ts',
      'authority/authority.ts',
      'authority/read-certificate.ts',
    ],
    ['crypto', 'util'],
  ),
  ...BROKER_ROOMS,
  'events/': room('events are told by a listener that hears of connections; whoever wants them published hands in the way', [
    'domain.ts',
    'runtime/',
    'store/contract.ts',
    'store/pages.ts',
    'broker/connection/client.ts',
    'broker/connection/connection-record.ts',
    'broker/connection/listener.ts',
    'broker/contract.ts',
  ]),
  'rules/': room(
    'rules see messages through the broker, and reach nobody but through actions',
    [
      ...[
        'domain.ts',
        'runtime/',
        'store/contract.ts',
        'store/changes.ts',
        'store/pages.ts',
        'mqtt/',
        'functions/contract.ts',
        'policies/principals.ts',
        'functions/function-name.ts',
      ],
      ...['rules/actions/', 'rules/sql/', 'outgoing/'],
      ...['broker/broker.ts', 'broker/message/', 'broker/session/journal.ts'],
      ...['broker/routing/account.ts', 'broker/routing/rates.ts', 'broker/routing/routed-topic.ts'],
    ],
    ['crypto'],
    ['@aws-sdk/client-iot', '@aws-sdk/client-dynamodb'],
  ),
  'rules/actions/': room(
    'an action knows its order and its tools: no record, no broker, and no other action',
    ['runtime/', 'functions/contract.ts', 'functions/function-name.ts', 'rules/store.ts', 'outgoing/'],
    ['buffer', 'crypto', 'http', 'worker_threads'],
    [
      ...['@platformatic/kafka', '@smithy/node-http-handler', '@aws-sdk/client-iot'],
      ...['cloudwatch', 'cloudwatch-logs', 'dynamodb', 'firehose', 'iot-events-data', 'iotanalytics', 'iotsitewise'].map(
        (name) => `@aws-sdk/client-${name}`,
      ),
      ...['kinesis', 'location', 's3', 'sfn', 'sns', 'sqs', 'timestream-write'].map((name) => `@aws-sdk/client-${name}`),
    ],
  ),
  'rules/sql/': room(
    'the SQL of rules is pure: the message, the time and every answer of a service are handed in',
    ['mqtt/properties.ts'],
    ['buffer', 'crypto'],
    ['re2js'],
  ),
  'gateway/authorization/': room(
    'permissions of clients are evaluated here: no socket, and nothing of how a client has proven who it is',
    [
      ...['runtime/', 'store/contract.ts', 'mqtt/', 'broker/contract.ts', 'registry/store.ts', 'gateway/peer.ts'],
      ...files('policies', 'certificate-names', 'compile', 'condition', 'evaluate', 'variables'),
    ],
  ),
  'gateway/authentication/': room(
    'each kind of authentication is behind one contract; what TLS and HTTP have read is handed in, and no socket is seen',
    [
      ...['runtime/', 'store/claims.ts', 'store/contract.ts', 'mqtt/', 'broker/contract.ts', 'functions/contract.ts'],
      ...files('policies', 'certificate-names', 'effective', 'permission-changes', 'variables'),
      ...files('authorizers', 'answer', 'authorize', 'credentials', 'event', 'store'),
      ...files('registry', 'admission', 'store'),
      ...['gateway/authentication/x509/certificate-facts-cache.ts', 'gateway/authorization/', 'gateway/listeners/alpn.ts'],
    ],
    ['crypto'],
  ),
  'gateway/': room(
    'gateway never sees SQL: it asks for authentication and permissions, and reads records through these files alone',
    [
      ...['runtime/', 'store/claims.ts', 'store/contract.ts', 'store/pages.ts', 'mqtt/', 'refusals/refusals.ts'],
      ...['broker/broker.ts', 'broker/connection/client.ts', 'broker/contract.ts', 'broker/operations.ts'],
      ...['policies/permission-changes.ts', 'authorizers/store.ts', 'registry/store.ts'],
      ...['gateway/authentication/', 'gateway/authorization/'],
    ],
    ['crypto', 'http', 'net', 'stream', 'tls'],
    ['@thingkeep/x509', 'ws'],
  ),
  'api/': room(
    'the API is data and a dispatcher: domains hand it their operations, it imports none of them',
    ['domain.ts', 'runtime/'],
    ['crypto', 'http', 'stream'],
  ),
  'admin/': room(
    'what AWS has no call for, and no more',
    ['broker/broker.ts', 'refusals/refusals.ts', 'runtime/listen.ts'],
    ['http', 'perf_hooks'],
  ),
  'resource-tags.ts': room('tags are read here from every store that has some, and nothing else is', [
    ...['api/access-keys.ts', 'api/key-rights.ts', 'domains/store.ts', 'functions/hosted/store.ts', 'logs/store.ts'],
    ...['registry/tags.ts', 'server-certificates/store.ts', 'store/contract.ts', 'store/pages.ts'],
  ]),
  'domain.ts': room('the contract of a domain: types alone', ['runtime/timers.ts', 'store/contract.ts']),
  'services.ts': room('what all domains serve is merged here, whatever it is', [
    ...['api/dispatch.ts', 'api/json-services.ts', 'domain.ts', 'store/contract.ts', 'store/regional.ts'],
  ]),
  'domain-list.ts': room('a list of domains and what they are given: it starts nothing and decides nothing', [
    ...['domain.ts', 'runtime/', 'authority/authority.ts', 'policies/', 'registry/', 'broker/', 'events/', 'functions/'],
    ...['functions/hosted/', 'authorizers/', 'server-certificates/', 'domains/', 'credentials/', 'rules/', 'iam/', 'logs/'],
  ]),
  'core-timers.ts': room('a list of what is done at which intervals', ['runtime/timers.ts']),
  'core.ts': room(
    'core knows every part and decides nothing',
    [
      'runtime/',
      'config/',
      'installation/',
      ...['store/contract.ts', 'store/changes.ts', 'store/change-feed.ts', 'store/pages.ts', 'store/marks.ts'],
      ...['store/regional.ts', 'store/sqlite/recovery-lines.ts', 'store/sqlite/sqlite-store.ts'],
      'audit/',
      'authority/',
      'refusals/',
      'outgoing/',
      'policies/',
      'registry/',
      'broker/',
      'broker/routing/retained.ts',
      'events/',
      'functions/',
      'functions/hosted/',
      'logs/',
      'authorizers/',
      'server-certificates/',
      'domains/',
      'credentials/',
      'iam/',
      'rules/',
      'rules/actions/',
      ...['gateway/', 'gateway/authentication/', 'gateway/authorization/'],
      'api/',
      'admin/',
      'collections.ts',
      'resource-tags.ts',
      'domain-list.ts',
      'services.ts',
      'core-timers.ts',
    ],
    ['fs', 'http', 'https'],
  ),
  'commands/': room(
    'a command reads its flags and uses the core, or speaks to a running server as any client does',
    [
      ...['runtime/', 'config/', 'installation/', 'core.ts', 'api/sign-request.ts', 'refusals/refusals.ts', 'audit/'],
      ...['collections.ts', 'functions/sandbox/cgroups.ts', 'store/damage.ts', 'store/marks.ts', 'store/sqlite/sqlite-store.ts'],
      ...[
        'store/contract.ts',
        'store/sqlite/check-file.ts',
        'store/sqlite/repair.ts',
        'authority/key-folder.ts',
        'authority/check.ts',
        'functions/code/check.ts',
      ],
    ],
    ['crypto', 'fs', 'http', 'https', 'path'],
  ),
  'main.ts': room('main picks a command and words the errors meant for an operator', [
    'commands/',
    'config/',
    'runtime/escape-text.ts',
  ]),
};

/** Folders whose files may still import types in a ring; of values no file may. */
export const TYPE_RINGS: readonly string[] = ['packages/server/src/gateway/admission/'];
