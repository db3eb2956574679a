/** What the API serves: every family of operations, made for each region over its own part of the store when first asked for. */
import type { Services } from './api/dispatch.ts';
import type { JsonService } from './api/json-services.ts';
import type { Authority } from './authority/authority.ts';
import { defaultAuthorizerOperations } from './authorizers/operations-default.ts';
import { authorizerTestOperations } from './authorizers/operations-test.ts';
import { authorizerOperations } from './authorizers/operations.ts';
import { taggableAuthorizers } from './authorizers/store.ts';
import type { Broker } from './broker/broker.ts';
import { dataPlaneOperations, type publisher } from './broker/operations.ts';
import { roleAliasOperations } from './credentials/operations.ts';
import { taggableRoleAliases } from './credentials/store.ts';
import { domainCreation } from './domains/creating.ts';
import type { DomainDirectory } from './domains/directory.ts';
import { domainOperations } from './domains/operations.ts';
import type { OperatorNames } from './domains/operator-names.ts';
import { domainNaming, domainsUsing } from './domains/serving.ts';
import { taggableDomains } from './domains/tagging.ts';
import { eventOperations } from './events/operations.ts';
import type { FunctionInvoker } from './functions/contract.ts';
import { isFunctionName } from './functions/function-name.ts';
import type { FunctionHosting } from './functions/hosted/hosting.ts';
import { policyAttachmentOperations } from './policies/operations-attachments.ts';
import { authorizationOperations } from './policies/operations-authorization.ts';
import { policyListingOperations } from './policies/operations-listings.ts';
import { policyVersionOperations } from './policies/operations-versions.ts';
import { policyOperations } from './policies/operations.ts';
import { caCertificateOperations } from './registry/ca-certificate-operations.ts';
import { caCertificateRegisteringOperations } from './registry/ca-certificate-registering.ts';
import { certificateIssuingOperations } from './registry/certificate-issuing.ts';
import { certificateOperations } from './registry/certificate-operations.ts';
import { certificateRegisteringOperations } from './registry/certificate-registering.ts';
import { endpointOperations } from './registry/describe-endpoint.ts';
import { policyTags, policyTargets, principalFacts, taggablePolicies } from './registry/policy-principals.ts';
import { taggableRegistry, tagOperations } from './registry/tag-operations.ts';
import { thingOperations } from './registry/thing-operations.ts';
import { thingPrincipalOperations } from './registry/thing-principal-operations.ts';
import { thingTypeOperations } from './registry/thing-type-operations.ts';
import type { openRules } from './rules/open.ts';
import { taggableRules } from './rules/store.ts';
import type { Clock } from './runtime/clock.ts';
import { acmListingOperations } from './server-certificates/operations-listings.ts';
import { acmOperations } from './server-certificates/operations.ts';
import type { Store } from './store/contract.ts';
import { perRegion } from './store/regional.ts';

export interface ServiceParts {
  readonly inRegion: (region: string) => Store;
  readonly clock: Clock;
  readonly authority: Authority;
  readonly functions: FunctionInvoker;
  readonly directory: DomainDirectory;
  readonly operatorNames: OperatorNames;
  /** Host name of the server. */
  readonly endpoint: string;
  readonly broker: Broker;
  readonly publish: ReturnType<typeof publisher>;
  readonly rules: Pick<Awaited<ReturnType<typeof openRules>>, 'operations'>;
  readonly hosting: Pick<FunctionHosting, 'operations'>;
  /** Whether IAM keeps a role of this ARN. */
  readonly knowsRole: (roleArn: string) => Promise<boolean>;
}

/** The services of the operation table. */
export function regionalServices(parts: ServiceParts): (region: string) => Services {
  const { inRegion, clock, authority, functions, directory, operatorNames } = parts;
  const { endpoint, knowsRole } = parts;
  return perRegion((region): Services => {
    const store = inRegion(region);
    const given = {
      store,
      clock,
      issuer: authority,
      functions,
      isFunctionName,
      endpoint,
      knowsRole,
      targets: policyTargets,
      facts: principalFacts,
      tags: policyTags,
      directory,
      operatorNames,
      domainNaming,
    };
    return {
      iot: {
        ...endpointOperations({ endpoint }),
        ...certificateIssuingOperations(given),
        ...certificateRegisteringOperations(given),
        ...certificateOperations(given),
        ...caCertificateRegisteringOperations(given),
        ...caCertificateOperations(given),
        ...thingOperations(given),
        ...thingTypeOperations(given),
        ...thingPrincipalOperations(given),
        ...eventOperations(given),
        ...parts.rules.operations(store, policyTags),
        ...tagOperations({ store, taggable: TAGGABLE }),
        ...policyOperations(given),
        ...policyVersionOperations(given),
        ...policyAttachmentOperations(given),
        ...policyListingOperations(given),
        ...authorizationOperations(given),
        ...authorizerOperations(given),
        ...defaultAuthorizerOperations(given),
        ...authorizerTestOperations(given),
        ...domainCreation(given),
        ...domainOperations(given),
        ...roleAliasOperations(given),
      },
      'iot-data': dataPlaneOperations(parts.broker, parts.publish),
      'iot-jobs-data': {},
      lambda: parts.hosting.operations(store),
    };
  });
}

const TAGGABLE = {
  ...taggableRegistry,
  ...taggablePolicies,
  ...taggableAuthorizers,
  ...taggableDomains,
  ...taggableRoleAliases,
  ...taggableRules,
};

/** The small part of AWS Certificate Manager that brings certificates for host names. */
export const acmService = ({ inRegion, clock }: Pick<ServiceParts, 'inRegion' | 'clock'>) =>
  perRegion((region): JsonService => {
    const given = {
      store: inRegion(region),
      clock,
      usedBy: domainsUsing,
    };
    return { target: 'CertificateManager', operations: { ...acmOperations(given), ...acmListingOperations(given) } };
  });
