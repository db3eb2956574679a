/** The services and operations that calls of the API are counted by: those of the tables, and no other text. */
import { JSON_OPERATIONS } from '@thingkeep/wire/api/json-operations.ts';
import { operationsOf, queryOperationsOf, SERVICE_NAMES } from '@thingkeep/wire/api/table.ts';

/** Requests of Thingkeep's own, as permissions name them (`GET /admin/refusals` is `GetRefusals`). */
export const ADMIN_OPERATIONS = [
  'GetAudit',
  'GetCertificates',
  'GetRefusals',
  'PostAccounts',
  'PostBackup',
  'PostRootKeys',
] as const;

/** By the name that requests are signed for, except for those of the table, whose own names say more. */
export const API_SERVICES: readonly string[] = [
  ...SERVICE_NAMES,
  ...['iam', 'sts', 'ec2', 'acm', 'logs'],
  // The credential provider, and Thingkeep's own requests.
  ...['credentials', 'thingkeep'],
];

export const API_OPERATIONS: readonly string[] = [
  ...new Set([
    ...SERVICE_NAMES.flatMap((service) => operationsOf(service).map(({ name }) => name)),
    ...queryOperationsOf('iam'),
    ...queryOperationsOf('sts'),
    ...Object.values(JSON_OPERATIONS).flatMap((operations) => Object.keys(operations)),
    ...ADMIN_OPERATIONS,
    'AssumeRoleWithCertificate',
    'DescribeAvailabilityZones',
  ]),
].sort();
