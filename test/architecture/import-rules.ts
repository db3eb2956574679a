/** The rules of imports: what each folder of the server may import, and why. ARCHITECTURE.md says the same in words. */

import { BROKER_FOLDERS } from './import-rules-broker.ts';
import { FLEET_FOLDERS } from './import-rules-fleet.ts';
import { ANY_DOMAIN, type FolderRule, folderRule } from './folder-rule.ts';

export type { FolderRule } from './folder-rule.ts';

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

/**
 * Folders, and files, of packages/server/src, leaves first. A file's folder is the longest name here that its path begins with.
 */
export const SERVER_FOLDERS: Readonly<Record<string, FolderRule>> = {
  'runtime/': folderRule(
    'runtime is a closed list of small things that know nothing of the rest',
    [],
    ['crypto', 'fs', 'fs/promises', 'http', 'net', 'os', 'stream'],
    ['pino'],
  ),
  'config/': folderRule(
    'config is read before anything else is there',
    ['outgoing/allowed.ts', 'runtime/sealed-json.ts', 'runtime/fsync-folder.ts'],
    ['crypto', 'fs', 'path'],
  ),
  'installation/': folderRule(
    'the parts of a data folder know each other: what is in them is for others to read',
    [
      ...['runtime/', 'config/', 'store/contract.ts', 'store/marks.ts', 'store/regional.ts'],
      ...['audit/', 'credentials/session-tokens.ts'],
    ],
    ['crypto', 'fs', 'fs/promises', 'path'],
  ),
  'store/': folderRule(
    'the contract knows no engine',
    ['runtime/clock.ts', 'runtime/disk-failure.ts', 'runtime/histogram.ts', 'runtime/log.ts'],
    ['crypto'],
  ),
  'store/sqlite/': folderRule(
    'an engine knows the contract and nothing of what is kept',
    ['store/', 'runtime/clock.ts', 'runtime/disk-failure.ts', 'runtime/fsync-folder.ts'],
    ['crypto', 'fs', 'fs/promises', 'path', 'sqlite', 'zlib'],
  ),
  'collections.ts': folderRule('a list of what is kept, for the engine', [
    ...['audit/store.ts', 'domain-list.ts', 'gateway/authentication/claim-stored.ts', 'installation/store.ts', 'store/'],
  ]),
  'authority/': folderRule(
    'authority holds the keys: it imports no other domain and sees no socket',
    ['runtime/'],
    ['crypto', 'fs/promises', 'path', 'util'],
    ['@thingkeep/x509'],
  ),
  'refusals/': folderRule('every part that refuses records it here, so this folder imports no other', ['runtime/']),
  'audit/': folderRule(
    'the audit log writes lines that it is handed, and knows nothing of what they are about',
    ['runtime/', 'store/contract.ts', 'store/pages.ts'],
    ['buffer', 'crypto', 'fs', 'path'],
  ),
  'policies/': folderRule(
    'a decision is a pure function: no socket, no file, no clock but the one handed in',
    ['domain.ts', 'runtime/', 'store/contract.ts', 'store/damage.ts', 'store/pages.ts'],
    [],
    ['@thingkeep/x509'],
  ),
  'outgoing/': folderRule(
    'addresses that a user chose are checked here, and requests to them begin here alone',
    ['policies/ip-address.ts'],
    ['dns/promises', 'http', 'https', 'net', 'os'],
  ),
  'functions/': folderRule('functions are called from here alone, wherever they are', ['runtime/', 'outgoing/'], ['http']),
  'functions/code/': folderRule(
    'archives are checked and unpacked here, and nothing of them is run',
    [],
    ['crypto', 'fs', 'fs/promises', 'path', 'stream', 'stream/promises'],
    ['yauzl'],
  ),
  'functions/sandbox/': folderRule(
    'the only starter of processes: it knows no record, and is told what to run and with which credentials',
    ['runtime/', 'functions/code/'],
    ['child_process', 'crypto', 'events', 'fs', 'fs/promises', 'http', 'net', 'os', 'path', 'stream', 'timers/promises'],
  ),
  'functions/hosted/': folderRule(
    'hosted functions are records, permissions and a queue; what runs them is behind the pool',
    [
      ...['domain.ts', 'runtime/', 'store/contract.ts', 'store/pages.ts', 'iam/role-credentials.ts', 'iam/role-permissions.ts'],
      ...['functions/', 'functions/code/', 'functions/sandbox/'],
    ],
    ['crypto', 'path'],
  ),
  'logs/': folderRule(
    'log groups keep lines within bounds, whoever wrote them',
    ['domain.ts', 'runtime/', 'store/contract.ts', 'store/pages.ts'],
    ['crypto'],
  ),
  'authorizers/': folderRule(
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
  'server-certificates/': folderRule(
    'certificates that are brought for host names, with their keys: what the API shows of them has no key at hand',
    ['domain.ts', 'runtime/', 'store/contract.ts', 'store/pages.ts'],
    ['crypto'],
    ['@thingkeep/x509'],
  ),
  'domains/': folderRule(
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
  'credentials/': folderRule(
    'credentials are made of a secret and a session; who asks, and with what permissions, is told',
    ['domain.ts', 'runtime/', 'store/contract.ts', 'store/pages.ts', 'policies/principals.ts'],
    ['crypto'],
  ),
  'iam/': folderRule(
    'IAM keeps identities and authorizes what they ask for; who has signed is proven elsewhere, and what they then do is done elsewhere',
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
  'mqtt/': folderRule('the codec knows bytes and packets, nothing of who sends them', [], ['buffer']),
  'registry/': folderRule(
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
      'registry/groups/',
    ],
    ['crypto', 'util'],
    ['@thingkeep/x509'],
  ),
  'registry/groups/': folderRule(
    'groups are records over things: they know things, tags and the attachments of policies by these files alone',
    [
      ...['runtime/', 'store/contract.ts', 'store/due-records.ts', 'store/due-work.ts', 'policies/store.ts'],
      ...files('registry', 'expected-version', 'paging', 'required', 'store', 'tags', 'things'),
    ],
    ['crypto'],
  ),
  ...BROKER_FOLDERS,
  'events/': folderRule(
    'events hear of connections and of the registry by its changes, and are published by the contract of messaging alone',
    [
      ...['domain.ts', 'runtime/', 'store/contract.ts', 'store/changes.ts', 'store/pages.ts', 'broker/messaging.ts'],
      ...['registry/store.ts', 'registry/groups/store.ts'],
    ],
    ['crypto', 'util'],
  ),
  ...FLEET_FOLDERS,
  'rules/': folderRule(
    'rules see messages by the contract of messaging alone, and reach nobody but through actions',
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
        'iam/role-credentials.ts',
        'functions/function-name.ts',
      ],
      ...['rules/actions/', 'rules/sql/', 'outgoing/'],
      'broker/messaging.ts',
    ],
    ['crypto'],
    ['@aws-sdk/client-iot', '@aws-sdk/client-dynamodb'],
  ),
  'rules/actions/': folderRule(
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
  'rules/sql/': folderRule(
    'the SQL of rules is pure: the message, the time and every answer of a service are handed in',
    ['mqtt/properties.ts'],
    ['buffer', 'crypto'],
    ['re2js'],
  ),
  'gateway/authorization/': folderRule(
    'permissions of clients are evaluated here: no socket, and nothing of how a client has proven who it is',
    [
      ...['runtime/', 'store/contract.ts', 'mqtt/', 'broker/contract.ts', 'registry/store.ts', 'gateway/peer.ts'],
      ...files('policies', 'certificate-names', 'compile', 'condition', 'context', 'evaluate', 'variables'),
      'refusals/policy-refusal.ts',
    ],
  ),
  'gateway/authentication/': folderRule(
    'each kind of authentication is behind one contract; what TLS and HTTP have read is handed in, and no socket is seen',
    [
      ...[
        'runtime/',
        'store/claims.ts',
        'store/contract.ts',
        'store/pages.ts',
        'mqtt/',
        'broker/contract.ts',
        'functions/contract.ts',
      ],
      ...files('policies', 'certificate-names', 'effective', 'permission-changes', 'variables'),
      ...files('authorizers', 'answer', 'authorize', 'credentials', 'event', 'store'),
      ...files('registry', 'admission', 'store'),
      ...['provisioning/contract.ts', 'refusals/policy-refusal.ts'],
      ...['gateway/authentication/x509/certificate-facts-cache.ts', 'gateway/authorization/', 'gateway/listeners/alpn.ts'],
    ],
    ['crypto'],
    ['@thingkeep/x509'],
  ),
  'gateway/': folderRule(
    'gateway never sees SQL: it asks for authentication and permissions, and reads records through these files alone',
    [
      ...[
        'runtime/',
        'store/claims.ts',
        'store/contract.ts',
        'store/pages.ts',
        'mqtt/',
        'refusals/policy-refusal.ts',
        'refusals/refusals.ts',
        'refusals/signature-refusal.ts',
      ],
      ...['broker/broker.ts', 'broker/connection/client.ts', 'broker/connection/fault.ts', 'broker/contract.ts'],
      'broker/messages.operations.ts',
      ...['policies/permission-changes.ts', 'authorizers/store.ts', 'registry/store.ts'],
      ...['credentials/provider.ts', 'domains/directory.ts', 'domains/security-policies.ts'],
      ...['gateway/authentication/', 'gateway/authorization/'],
    ],
    ['crypto', 'http', 'net', 'stream', 'tls'],
    ['@thingkeep/x509', 'ws'],
  ),
  'api/': folderRule(
    'the API is data and a dispatcher: domains hand it their operations, it imports none of them',
    ['domain.ts', 'runtime/'],
    ['crypto', 'events', 'http', 'stream'],
  ),
  'admin/': folderRule(
    'what AWS has no call for, and no more',
    [
      ...['runtime/', 'broker/contract.ts', 'broker/figures.ts', 'broker/session/delivery-counters.ts'],
      ...['functions/function-figures.ts', 'gateway/listeners/handshake-figures.ts', 'refusals/refusals.ts', 'rules/metrics.ts'],
      ...['shadows/shadow-figures.ts', 'store/due-work.ts', 'store/store-figures.ts'],
    ],
    ['http'],
  ),
  'resource-tags.ts': folderRule('tags are read here from every store that has some, and nothing else is', [
    ...['api/access-keys.ts', 'api/key-permissions.ts', 'domains/store.ts', 'functions/hosted/store.ts', 'logs/store.ts'],
    ...['registry/tags.ts', 'server-certificates/store.ts', 'store/contract.ts', 'store/pages.ts'],
  ]),
  'domain.ts': folderRule('the contract of a domain: types alone', [
    ...['broker/messaging.ts', 'runtime/timers.ts', 'store/changes.ts', 'store/contract.ts', 'store/due-work.ts'],
  ]),
  'services.ts': folderRule('what all domains serve is merged here, whatever it is', [
    ...['api/dispatch.ts', 'api/json-services.ts', 'domain.ts', 'store/contract.ts', 'store/regional.ts'],
  ]),
  'domain-list.ts': folderRule('a list of domains and what they are given: it starts nothing and decides nothing', [
    ...[ANY_DOMAIN, 'domain.ts', 'runtime/', 'store/changes.ts', 'store/contract.ts', 'authority/authority.ts', 'policies/'],
    ...[
      'registry/',
      ...['jobs/job-rates.ts', 'jobs/open.ts', 'ota-updates/store.ts'],
      'provisioning/',
      'refusals/refusals.ts',
      'broker/',
      'broker/messaging.ts',
      'events/',
      'fleet-index/',
      ...['shadows/', 'objects/', 'objects/s3/', 'software-packages/package-reports.ts'],
      'functions/',
    ],
    ...['functions/hosted/', 'authorizers/', 'server-certificates/', 'domains/', 'credentials/', 'rules/', 'iam/', 'logs/'],
  ]),
  'core.ts': folderRule('core is a list of steps, without logic', [...['broker/', 'composition/', 'services.ts']]),
  'composition/': folderRule(
    'the composition knows every part and decides nothing',
    [
      ...['domain.ts', 'runtime/'],
      'config/',
      'installation/',
      ...[
        'store/contract.ts',
        'store/changes.ts',
        'store/change-feed.ts',
        'store/due-work.ts',
        'store/pages.ts',
        'store/marks.ts',
      ],
      ...['store/regional.ts', 'store/sqlite/recovery-lines.ts', 'store/sqlite/sqlite-store.ts', 'store/store-figures.ts'],
      'audit/',
      'authority/',
      'refusals/',
      'outgoing/',
      'policies/',
      'registry/',
      'provisioning/',
      'broker/',
      ...['broker/routing/retained.ts', 'broker/routing/retained-usage.ts'],
      ...['shadows/', 'objects/', 'objects/s3/', 'jobs/open.ts'],
      'events/',
      'fleet-index/',
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
    ],
    ['fs', 'fs/promises', 'http', 'https'],
  ),
  'commands/': folderRule(
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
  'main.ts': folderRule('main looks at the version of Node.js, and only then reads the commands', [
    'commands/',
    'node-version.mjs',
  ]),
};
