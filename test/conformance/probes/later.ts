/**
 * Probes of operations that are not served yet, by family. The day that an operation is served the test fails, until its probes
 * are cases: those of AWS IoT have their facts here already, in the form of cases; of the others the names, `*` for what
 * follows.
 */
import { type Answer, type ProbedService, refuses } from './probe.ts';

export interface Later {
  readonly service: ProbedService;
  readonly family: string;
  readonly names: readonly string[];
  /** Operations that these names are about. */
  readonly operations: readonly string[];
  readonly answers?: readonly Answer[];
}

const INVALID = 'InvalidRequestException';
const ROLE = 'arn:aws:iam::000000000000:role/r';
const audit = (more: object) => ({ scheduledAuditName: 'a', targetCheckNames: ['DEVICE_CERTIFICATE_EXPIRING_CHECK'], ...more });

export const LATER: readonly Later[] = [
  {
    service: 'iot',
    family: 'mitigation actions',
    names: ['pf-iot-mitigationaction-params-exactly-one'],
    operations: ['CreateMitigationAction'],
    answers: [
      { updateDeviceCertificateParams: { action: 'DEACTIVATE' }, updateCACertificateParams: { action: 'DEACTIVATE' } },
      {},
    ].map((actionParams) =>
      refuses(
        'CreateMitigationAction',
        { actionName: 'a', roleArn: ROLE, actionParams },
        INVALID,
        'Expected only one action parameter to be set',
      ),
    ),
  },
  {
    service: 'iot',
    family: 'audits',
    names: ['pf-iot-scheduledaudit-frequency-day'],
    operations: ['CreateScheduledAudit'],
    answers: [{ frequency: 'MONTHLY' }, { frequency: 'WEEKLY' }, { frequency: 'DAILY', dayOfWeek: 'MON' }].map((when) =>
      refuses('CreateScheduledAudit', audit(when), INVALID, 'Invalid combination of frequency and day-of-week/day-of-month'),
    ),
  },
  {
    service: 'iam',
    family: 'instance profiles',
    names: ['pf-iam-instance-profile-single-role'],
    operations: ['AddRoleToInstanceProfile'],
  },
  {
    service: 'iam',
    family: 'identity providers',
    names: ['pf-iam-oidc-provider-client-id-count', 'pf-iam-oidc-provider-url-https'],
    operations: ['CreateOpenIDConnectProvider'],
  },
  {
    service: 'iam',
    family: 'service-linked roles',
    names: ['pf-iam-slr-service-name-format'],
    operations: ['CreateServiceLinkedRole'],
  },
  {
    service: 'lambda',
    family: 'event source mappings',
    names: ['pf-lambda-esm-*'],
    operations: ['CreateEventSourceMapping'],
  },
  {
    service: 'lambda',
    family: 'layers',
    names: ['pf-lambda-layer-*', 'pf-lambda-layerperm-*'],
    operations: ['PublishLayerVersion', 'AddLayerVersionPermission'],
  },
  {
    service: 'lambda',
    family: 'capacity providers and scaling',
    names: ['pf-lambda-capacity-provider-*', 'pf-lambda-scaling-*'],
    operations: ['CreateCapacityProvider', 'PutFunctionScalingConfig'],
  },
  {
    service: 'lambda',
    family: 'code signing',
    names: ['pf-lambda-code-signing-*', 'pf-lambda-csc-untrusted-artifact-enum'],
    operations: ['CreateCodeSigningConfig', 'PutFunctionCodeSigningConfig'],
  },
  {
    service: 'lambda',
    family: 'provisioned concurrency',
    names: ['pf-lambda-provisioned-*'],
    operations: ['PutProvisionedConcurrencyConfig'],
  },
  {
    service: 'lambda',
    family: 'runtime management',
    names: ['pf-lambda-runtime-*', 'pf-lambda-version-runtime-policy-manual-requires-arn'],
    operations: ['PutRuntimeManagementConfig'],
  },
  {
    service: 'lambda',
    family: 'recursion',
    names: ['pf-lambda-recursive-loop-enum'],
    operations: ['PutFunctionRecursionConfig'],
  },
  { service: 'lambda', family: 'function URLs', names: ['pf-lambda-url-*'], operations: ['CreateFunctionUrlConfig'] },
  { service: 'acm', family: 'requested certificates', names: ['pf-acm-*'], operations: ['RequestCertificate'] },
  {
    service: 'logs',
    family: 'account and resource policies',
    names: ['pf-logs-account-policy-*', 'pf-logs-resource-policy-json'],
    operations: ['PutAccountPolicy', 'PutResourcePolicy'],
  },
  {
    service: 'logs',
    family: 'anomaly detectors',
    names: ['pf-logs-anomaly-detector-single-log-group', 'pf-logs-infrequent-access-anomaly-detector'],
    operations: ['CreateLogAnomalyDetector'],
  },
  {
    service: 'logs',
    family: 'data protection',
    names: ['pf-logs-data-protection-*'],
    operations: ['PutDataProtectionPolicy'],
  },
  {
    service: 'logs',
    family: 'deliveries and destinations',
    names: ['pf-logs-delivery-destination-*', 'pf-logs-destination-policy-json'],
    operations: ['PutDeliveryDestination', 'PutDestinationPolicy'],
  },
  {
    service: 'logs',
    family: 'indexes, queries and transformers',
    names: [
      'pf-logs-field-index-fields-max',
      'pf-logs-query-definition-log-groups-max',
      'pf-logs-infrequent-access-transformer',
      'pf-logs-transformer-*',
    ],
    operations: ['PutIndexPolicy', 'PutQueryDefinition', 'PutTransformer'],
  },
  {
    service: 'logs',
    family: 'metric and subscription filters',
    names: [
      'pf-logs-field-selection-criteria-syntax',
      'pf-logs-filter-*',
      'pf-logs-infrequent-access-metric-filter',
      'pf-logs-infrequent-access-subscription-filter',
      'pf-logs-metric-*',
      'pf-logs-subscription-*',
    ],
    operations: ['PutMetricFilter', 'PutSubscriptionFilter'],
  },
];
