/** The list of domains: what a new one is added to. */
import type { Authority } from './authority/authority.ts';
import { authorizerDomain } from './authorizers/domain.ts';
import type { Broker } from './broker/broker.ts';
import type { Messaging } from './broker/messaging.ts';
import { brokerDomain } from './broker/domain.ts';
import { credentialsDomain } from './credentials/domain.ts';
import type { Domain, DomainEntry } from './domain.ts';
import type { DomainDirectory } from './domains/directory.ts';
import { domainConfigurationDomain } from './domains/domain.ts';
import type { OperatorNames } from './domains/operator-names.ts';
import { domainNaming, type DomainServing, domainsUsing } from './domains/serving.ts';
import { eventsDomain } from './events/domain.ts';
import { fleetIndexDomain } from './fleet-index/domain.ts';
import type { FunctionInvoker } from './functions/contract.ts';
import { isFunctionName } from './functions/function-name.ts';
import { functionsDomain } from './functions/hosted/domain.ts';
import type { FunctionHosting } from './functions/hosted/hosting.ts';
import { iamDomain } from './iam/domain.ts';
import type { openIam } from './iam/iam.ts';
import { jobsDomain } from './jobs/domain.ts';
import type { JobRatesOf } from './jobs/job-rates.ts';
import type { JobsModule } from './jobs/open.ts';
import { logsDomain } from './logs/domain.ts';
import type { LogWriter } from './logs/writer.ts';
import { objectsDomain } from './objects/domain.ts';
import type { EmbeddedObjects } from './objects/embedded-objects.ts';
import type { ObjectUrls, RoleObjects } from './objects/contract.ts';
import { otaUpdateDomain } from './ota-updates/domain.ts';
import { streamUser } from './ota-updates/store.ts';
import { policyDomain } from './policies/domain.ts';
import type { RegistrationReports } from './provisioning/registration-reports.ts';
import { provisioningDomain } from './provisioning/domain.ts';
import type { FindRole } from '@thingkeep/wire/api/authorization.ts';
import type { Refusal } from './refusals/refusals.ts';
import { registryDomain } from './registry/domain.ts';
import { policyTags as tags, policyTargets, principalFacts } from './registry/policy-principals.ts';
import { commandDomain } from './remote-commands/domain.ts';
import { rulesDomain } from './rules/domain.ts';
import type { RulesModule } from './rules/open.ts';
import type { Clock } from './runtime/clock.ts';
import type { Logger } from './runtime/log.ts';
import type { Changes, DurableSubscription } from './store/changes.ts';
import type { Collection, Store } from './store/contract.ts';
import type { Shadows } from './shadows/shadows.ts';
import { shadowDomain } from './shadows/domain.ts';
import { acmDomain } from './server-certificates/domain.ts';
import { packageDomain } from './software-packages/domain.ts';
import type { PackageShadows } from './software-packages/package-reports.ts';
import { streamDomain } from './streams/domain.ts';

/** What the server gives to its domains. A domain takes what it names in its entry's type. */
export interface DomainParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Host name of the server. */
  readonly endpoint: string;
  readonly issuer: Authority;
  readonly functions: FunctionInvoker;
  readonly directory: DomainDirectory;
  readonly operatorNames: OperatorNames;
  readonly serving: DomainServing;
  readonly rules: RulesModule;
  readonly broker: Broker;
  readonly messaging: Messaging;
  readonly hosting: FunctionHosting;
  readonly logs: LogWriter;
  readonly knowsRole: ReturnType<typeof openIam>['knowsRole'];
  readonly uses: ReturnType<typeof openIam>['uses'];
  /** Permissions of a role that a service assumes. */
  readonly findRole: FindRole;
  /** Whether free disk is below the floor: then nothing is kept that a device causes. */
  readonly disk: { readonly low: boolean };
  /** Records a refusal. */
  readonly refuse: (refusal: Refusal) => void;
  readonly changes: Changes;
  /** Regions that hold data. */
  readonly regions: () => Promise<readonly string[]>;
  /** The part of the store of a region. */
  readonly inRegion: (region: string) => Store;
  readonly shadows: Shadows;
  readonly jobs: JobsModule;
  /** Writes the shadow `$package` of things. */
  readonly packageShadows: PackageShadows;
  readonly objects: EmbeddedObjects;
  /** Rates that are kept for an account, per second. */
  readonly ratesOf: (accountId: string) => JobRatesOf;
  readonly roleObjects: RoleObjects;
  readonly objectUrls: ObjectUrls;
  readonly reports: RegistrationReports;
  /** The file of the fleet index. */
  readonly indexFile: string;
}

/** What domains know of each other, by functions of their stores. */
const LINKS = {
  tags,
  targets: policyTargets,
  facts: principalFacts,
  isFunctionName,
  domainNaming,
  usedBy: domainsUsing,
  streamUser,
};

const DOMAINS: readonly DomainEntry<DomainParts & typeof LINKS>[] = [
  registryDomain,
  policyDomain,
  authorizerDomain,
  domainConfigurationDomain,
  credentialsDomain,
  provisioningDomain,
  eventsDomain,
  fleetIndexDomain,
  jobsDomain,
  shadowDomain,
  objectsDomain,
  streamDomain,
  otaUpdateDomain,
  commandDomain,
  packageDomain,
  rulesDomain,
  brokerDomain,
  functionsDomain,
  logsDomain,
  acmDomain,
  iamDomain,
];

/** Collections of all domains. */
export const DOMAIN_COLLECTIONS: readonly Collection<never>[] = DOMAINS.flatMap(({ collections }) => collections);

/** What durable subscribers of all domains follow. */
export const DOMAIN_SUBSCRIPTIONS: readonly DurableSubscription[] = DOMAINS.flatMap(({ subscriptions = [] }) => subscriptions);

/** The domains, with `more` behind those of the list. */
export const listDomains = (parts: DomainParts, more: readonly DomainEntry<DomainParts>[]): readonly Domain[] =>
  [...DOMAINS, ...more].map(({ open }) => open({ ...LINKS, ...parts }));

/** Loads domains in the order of the list; they are closed in reverse. */
export async function loadDomains(domains: readonly Domain[], parts: AsyncDisposableStack): Promise<void> {
  for (const domain of domains) {
    parts.defer(() => domain.close?.());
    await domain.load?.();
  }
}
