/** The list of domains: what a new one is added to. */
import type { Authority } from './authority/authority.ts';
import { authorizerDomain } from './authorizers/domain.ts';
import type { Broker } from './broker/broker.ts';
import { brokerDomain } from './broker/domain.ts';
import { credentialsDomain } from './credentials/domain.ts';
import type { Domain } from './domain.ts';
import type { DomainDirectory } from './domains/directory.ts';
import { domainConfigurationDomain } from './domains/domain.ts';
import type { OperatorNames } from './domains/operator-names.ts';
import { domainNaming, type DomainServing, domainsUsing } from './domains/serving.ts';
import { eventsDomain } from './events/domain.ts';
import type { FunctionInvoker } from './functions/contract.ts';
import { isFunctionName } from './functions/function-name.ts';
import { functionsDomain } from './functions/hosted/domain.ts';
import type { FunctionHosting } from './functions/hosted/hosting.ts';
import { iamDomain } from './iam/domain.ts';
import type { openIam } from './iam/iam.ts';
import { logsDomain } from './logs/domain.ts';
import type { LogWriter } from './logs/writer.ts';
import { policyDomain } from './policies/domain.ts';
import { registryDomain } from './registry/domain.ts';
import { policyTags as tags, policyTargets, principalFacts } from './registry/policy-principals.ts';
import { rulesDomain } from './rules/domain.ts';
import type { RulesModule } from './rules/open.ts';
import type { Clock } from './runtime/clock.ts';
import type { Logger } from './runtime/log.ts';
import { acmDomain } from './server-certificates/domain.ts';

export interface DomainParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Host name of the server. */
  readonly endpoint: string;
  readonly authority: Authority;
  readonly functions: FunctionInvoker;
  readonly directory: DomainDirectory;
  readonly operatorNames: OperatorNames;
  readonly serving: DomainServing;
  readonly rules: RulesModule;
  readonly broker: Broker;
  readonly hosting: FunctionHosting;
  readonly logs: LogWriter;
  readonly iam: Pick<ReturnType<typeof openIam>, 'knowsRole' | 'uses'>;
}

export const listDomains = ({ clock, endpoint, functions, iam, ...parts }: DomainParts): readonly Domain[] => [
  registryDomain({ clock, endpoint, issuer: parts.authority }),
  policyDomain({ clock, tags, targets: policyTargets, facts: principalFacts }),
  authorizerDomain({ clock, tags, functions, isFunctionName, domainNaming }),
  domainConfigurationDomain({ ...parts, clock, tags, endpoint, issuer: parts.authority, isFunctionName }),
  credentialsDomain({ clock, tags, knowsRole: iam.knowsRole }),
  eventsDomain({ clock }),
  rulesDomain(parts.rules, tags),
  brokerDomain(parts.broker),
  functionsDomain(parts.hosting),
  logsDomain({ clock, writer: parts.logs }),
  acmDomain({ clock, usedBy: domainsUsing }),
  iamDomain(iam.uses),
];

/** Loads domains in the order of the list; they are closed in reverse. */
export async function loadDomains(domains: readonly Domain[], parts: AsyncDisposableStack): Promise<void> {
  for (const domain of domains) {
    parts.defer(() => domain.close?.());
    await domain.load?.();
  }
}
