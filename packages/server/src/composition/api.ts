/** The API: the operations of all domains behind signatures, the operator's own, and what is answered without a signature. */
import { adminOperations } from '../admin/admin.operations.ts';
import { apiRefusal } from './api-refusal.ts';
import { type BelowHandler, createApi, type PlainHandler } from '../api/http.ts';
import { archiveAnswer, confirmationAnswer, reportAnswer, text } from '../api/plain-answers.ts';
import { rootKeyChanges } from '../config/root-keys.ts';
import { createS3Service } from '../objects/s3/s3-service.ts';
import { REPORTS } from '../provisioning/registration-reports.ts';
import { listExpiring } from '../registry/expiring-certificates.ts';
import { rolesInText } from '../rules/roles-named.ts';
import type { ServedOperations } from '../services.ts';
import type { Access } from './access.ts';
import type { CoreBase } from './base.ts';
import type { DeviceParts } from './devices.ts';
import type { FunctionParts } from './functions.ts';
import type { RuleParts } from './messaging.ts';
import type { Storage } from './storage.ts';

export const openApi = (
  { config, clock, log }: CoreBase,
  { accessKeys, places, changes, audit, audited, authority, ready, isOwnName, isRegion, objects, reports }: Storage,
  { refusals, refuse, resourceKeys, iam }: Access,
  { hosting, backups }: FunctionParts,
  rules: RuleParts,
  { findAccessKey, calls }: DeviceParts,
  served: ServedOperations,
) =>
  createApi({
    clock,
    log,
    findAccessKey,
    resourceKeys,
    isOwnName,
    isRegion,
    rolesInText,
    services: (region) => served.of(region),
    queryServices: iam.services,
    jsonServices: served.jsonServices,
    objects: createS3Service({ objects, isOwnName }),
    plain: new Map<string, PlainHandler>([
      ['/functions/code', async (query, done) => archiveAnswer(await hosting.archive(query, done))],
      ['/metrics', () => ({ ...text('Metrics are served where --metrics-bind says.\n'), status: 404 })],
      ['/ready', ready],
      ['/health', () => text('{"status":"ok"}\n', 'application/json')],
      ['/root-ca.pem', () => text(authority.rootCaPem, 'application/x-pem-file')],
    ]),
    plainBelow: new Map<string, BelowHandler>([
      [REPORTS, async (token) => reportAnswer(await reports.open(token))],
      ['/confirmdestination/', async (token, begin) => confirmationAnswer(await rules.confirm(token, begin))],
    ]),
    admin: adminOperations({
      refusals,
      rootKeys: rootKeyChanges(accessKeys, (accountId) => changes.announce('root-keys', { accountId, region: '' })),
      listExpiring: (query) => listExpiring({ ...places, clock }, query),
      auditState: () => audit.state,
      backup: backups.write,
      isOperator: ({ arn }) => arn === `arn:aws:iam::${config.accountId}:root`,
    }),
    audit: audited,
    calls,
    refused: (refusal) => refuse(apiRefusal(refusal)),
  });
