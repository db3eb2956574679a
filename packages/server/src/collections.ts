/** Every collection that the server keeps: what opens the data file derives the indexes of those that have changed. */
import { auditRecords } from './audit/store.ts';
import { authorizers, defaultAuthorizers } from './authorizers/store.ts';
import { connectionRecords, willRecords } from './broker/connection/connection-record.ts';
import { retainedMessages } from './broker/routing/retained-record.ts';
import { usage } from './broker/routing/retained-usage.ts';
import { sessionRecords } from './broker/session/session.ts';
import { sharedGroupRecords } from './broker/session/shared-group.ts';
import { roleAliases, sessionSecrets } from './credentials/store.ts';
import { domainConfigurations, issuedCertificates } from './domains/store.ts';
import { eventConfigurations } from './events/store.ts';
import { aliases, functions, versions } from './functions/hosted/store.ts';
import { claimsMade } from './gateway/authentication/claim-stored.ts';
import { accessKeys, entities, managedPolicies } from './iam/store.ts';
import { installations } from './installation/store.ts';
import { logGroups, logStreams } from './logs/store.ts';
import { policies, policyAttachments } from './policies/store.ts';
import { caCertificates, certificates, registrationCodes, tags, thingPrincipals, things, thingTypes } from './registry/store.ts';
import { destinations } from './rules/destination-store.ts';
import { rules } from './rules/store.ts';
import { serverCertificates, serverKeys } from './server-certificates/store.ts';
import { changePositions } from './store/change-feed.ts';
import { claims } from './store/claims.ts';
import type { Collection } from './store/contract.ts';
import { dueRecords } from './store/due-work.ts';
import { marks } from './store/marks.ts';
import { regions } from './store/regional.ts';

export const COLLECTIONS: readonly Collection<never>[] = [
  accessKeys,
  aliases,
  auditRecords,
  authorizers,
  caCertificates,
  certificates,
  changePositions,
  claims,
  claimsMade,
  connectionRecords,
  defaultAuthorizers,
  destinations,
  domainConfigurations,
  dueRecords,
  entities,
  eventConfigurations,
  functions,
  installations,
  issuedCertificates,
  logGroups,
  logStreams,
  managedPolicies,
  marks,
  policies,
  policyAttachments,
  regions,
  registrationCodes,
  retainedMessages,
  roleAliases,
  rules,
  serverCertificates,
  serverKeys,
  sessionRecords,
  sessionSecrets,
  sharedGroupRecords,
  tags,
  thingPrincipals,
  things,
  thingTypes,
  usage,
  versions,
  willRecords,
];
