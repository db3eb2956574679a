/** The rules of imports of provisioning, shadows, objects and the fleet index. */
import { type FolderRule, folderRule } from './folder-rule.ts';

const files = (folder: string, ...names: readonly string[]): string[] => names.map((name) => `${folder}/${name}.ts`);

export const FLEET_FOLDERS: Readonly<Record<string, FolderRule>> = {
  'fleet-index/query/': folderRule('queries and what matches them are pure', ['fleet-index/documents/values.ts']),
  'fleet-index/documents/': folderRule('documents are made of facts that are handed in', ['fleet-index/query/query.ts']),
  'fleet-index/engine/': folderRule(
    'the index file and its thread know documents and queries, and nothing of where they come from',
    ['fleet-index/query/', 'fleet-index/documents/values.ts', 'runtime/clock.ts'],
    ['buffer', 'crypto', 'fs', 'sqlite', 'worker_threads'],
  ),
  'fleet-index/': folderRule(
    'the index follows the changes of records, and hears of connections by the contract of messaging',
    [
      ...[
        'domain.ts',
        'runtime/',
        'store/contract.ts',
        'store/changes.ts',
        'store/damage.ts',
        'store/pages.ts',
        'broker/messaging.ts',
      ],
      ...[
        'registry/expected-version.ts',
        'registry/store.ts',
        'registry/tags.ts',
        'registry/things.ts',
        ...files('registry/groups', 'deletion', 'memberships', 'store', 'thing-groups'),
      ],
      ...['fleet-index/documents/', 'fleet-index/engine/', 'fleet-index/query/'],
    ],
    ['crypto'],
  ),
  'jobs/': folderRule(
    'jobs are records and due work: who is a target is read in the registry, and devices are known by the contract of messaging',
    [
      ...['domain.ts', 'runtime/', 'broker/messaging.ts', 'refusals/refusals.ts', 'events/enabled-events.ts'],
      ...['objects/contract.ts', 'payloads/final-zeros.ts'],
      ...files('software-packages', 'contract', 'package-reports'),
      ...files('store', 'changes', 'contract', 'damage', 'due-records', 'due-work', 'pages'),
      ...['policies/principals.ts', ...files('registry', 'paging', 'store', 'tags', 'things'), 'registry/groups/store.ts'],
    ],
    ['crypto'],
  ),
  'objects/': folderRule(
    'objects are records and files: who asks for them is handed in',
    ['domain.ts', 'runtime/', 'store/contract.ts', 'store/pages.ts'],
    ['crypto', 'fs', 'fs/promises', 'path', 'stream', 'zlib'],
    ['@aws-sdk/client-s3'],
  ),
  'objects/s3/': folderRule(
    "S3's API knows the embedded objects, and of the API's front what a request is",
    ['objects/', ...files('api', 'host-check', 'objects', 'payload', 'signed-request', 'xml')],
    ['crypto'],
  ),
  'streams/': folderRule('streams are records and blocks of objects; devices are known by the contract of messaging alone', [
    ...['domain.ts', 'runtime/', 'store/contract.ts', 'store/record-counts.ts', 'broker/messaging.ts', 'payloads/'],
    ...['objects/contract.ts', 'policies/principals.ts', 'provisioning/rights.ts', 'refusals/refusals.ts'],
  ]),
  'ota-updates/': folderRule(
    'OTA updates make streams and jobs by functions of their folders, and know nothing of devices',
    [
      ...['domain.ts', 'runtime/', ...files('store', 'contract', 'due-records', 'due-work', 'record-counts')],
      ...files('jobs', 'documents', 'job-deletion', 'job-unit', 'new-job', 'open', 'settings', 'states', 'store', 'targets'),
      ...files('streams', 'new-files', 'store', 'stream-files', 'stream-records', 'streams'),
      ...['objects/contract.ts', 'policies/principals.ts', 'provisioning/rights.ts'],
    ],
    ['crypto'],
  ),
  'remote-commands/': folderRule(
    'commands are records and messages: devices are known by the contract of messaging alone',
    [
      ...['domain.ts', 'runtime/', 'broker/messaging.ts', 'payloads/', 'policies/principals.ts', 'refusals/refusals.ts'],
      ...files('store', 'contract', 'due-records', 'due-work', 'record-counts'),
      ...files('registry', 'paging', 'store'),
    ],
    ['crypto', 'util'],
    ['cbor2'],
  ),
  'software-packages/': folderRule(
    'packages are records: jobs and shadows know them, and they know neither',
    [
      ...['domain.ts', 'runtime/', 'refusals/refusals.ts'],
      ...files('store', 'contract', 'due-records', 'due-work', 'record-counts'),
      ...['objects/contract.ts', 'policies/principals.ts'],
    ],
    ['worker_threads'],
    ['yauzl'],
  ),
  'payloads/': folderRule('payloads in JSON and CBOR are read and written here, whatever they are about', [], [], ['cbor2']),
  'shadows/': folderRule(
    'shadows are documents of names: they know neither the registry nor who asks, and publish by the contract of messaging',
    [
      ...['domain.ts', 'runtime/', 'broker/messaging.ts', 'refusals/refusals.ts'],
      ...files('store', 'contract', 'due-work'),
      ...['payloads/final-zeros.ts', 'software-packages/package-reports.ts'],
    ],
    [],
  ),
  'provisioning/': folderRule(
    'provisioning makes records by functions of the registry and of policies, and knows of devices by the contract of messaging alone',
    [
      ...['domain.ts', 'runtime/'],
      ...files('store', 'changes', 'contract', 'due-records', 'due-work', 'pages'),
      ...['broker/messaging.ts', 'functions/contract.ts', 'outgoing/author.ts', 'refusals/refusals.ts'],
      ...['objects/contract.ts', 'payloads/', ...files('software-packages', 'contract', 'package-reports')],
      ...['authority/authority.ts', 'authority/read-certificate.ts'],
      ...files('policies', 'compile', 'policy-records', 'principals', 'store'),
      ...files(
        'registry',
        'admission',
        'ca-certificates',
        'certificate-records',
        'certificate-registration',
        'certificates',
        'policy-principals',
      ),
      ...files('registry', 'store', 'tags', 'thing-principals', 'thing-records', 'things'),
      ...files('registry/groups', 'billing-groups', 'memberships'),
    ],
    ['crypto'],
    ['@thingkeep/x509'],
  ),
};
