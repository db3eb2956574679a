/**
 * Managed policies that AWS makes, as data: names, versions and permissions are AWS's own (AWS managed policy reference).
 * Actions of services that are nowhere near here are left out.
 */

export interface AwsManagedPolicy {
  readonly path: string;
  readonly name: string;
  readonly version: number;
  /** ISO 8601. */
  readonly created: string;
  readonly updated: string;
  readonly statements: readonly AwsStatement[];
}

/** Every statement allows. */
export interface AwsStatement {
  readonly Action?: readonly string[];
  readonly NotAction?: readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const list = (names: string): readonly string[] => names.split(/\s+/);

export const AWS_MANAGED_POLICIES: readonly AwsManagedPolicy[] = [
  {
    path: '/',
    name: 'AdministratorAccess',
    version: 1,
    created: '2015-02-06T18:39:46Z',
    updated: '2015-02-06T18:39:46Z',
    statements: [{ Action: list('*'), Resource: '*' }],
  },
  {
    path: '/',
    name: 'AWSIoTConfigAccess',
    version: 9,
    created: '2015-10-27T21:52:07Z',
    updated: '2019-09-27T20:48:00Z',
    statements: [
      {
        Action: list(`iot:AcceptCertificateTransfer iot:AddThingToThingGroup iot:AssociateTargetsWithJob iot:AttachPolicy
iot:AttachPrincipalPolicy iot:AttachThingPrincipal iot:CancelCertificateTransfer iot:CancelJob
iot:CancelJobExecution iot:ClearDefaultAuthorizer iot:CreateAuthorizer iot:CreateCertificateFromCsr
iot:CreateJob iot:CreateKeysAndCertificate iot:CreateOTAUpdate iot:CreatePolicy iot:CreatePolicyVersion
iot:CreateRoleAlias iot:CreateStream iot:CreateThing iot:CreateThingGroup iot:CreateThingType
iot:CreateTopicRule iot:DeleteAuthorizer iot:DeleteCACertificate iot:DeleteCertificate iot:DeleteJob
iot:DeleteJobExecution iot:DeleteOTAUpdate iot:DeletePolicy iot:DeletePolicyVersion iot:DeleteRegistrationCode
iot:DeleteRoleAlias iot:DeleteStream iot:DeleteThing iot:DeleteThingGroup iot:DeleteThingType
iot:DeleteTopicRule iot:DeleteV2LoggingLevel iot:DeprecateThingType iot:DescribeAuthorizer
iot:DescribeCACertificate iot:DescribeCertificate iot:DescribeDefaultAuthorizer iot:DescribeEndpoint
iot:DescribeEventConfigurations iot:DescribeIndex iot:DescribeJob iot:DescribeJobExecution
iot:DescribeRoleAlias iot:DescribeStream iot:DescribeThing iot:DescribeThingGroup
iot:DescribeThingRegistrationTask iot:DescribeThingType iot:DetachPolicy iot:DetachPrincipalPolicy
iot:DetachThingPrincipal iot:DisableTopicRule iot:EnableTopicRule iot:GetEffectivePolicies
iot:GetIndexingConfiguration iot:GetJobDocument iot:GetLoggingOptions iot:GetOTAUpdate iot:GetPolicy
iot:GetPolicyVersion iot:GetRegistrationCode iot:GetTopicRule iot:GetV2LoggingOptions iot:ListAttachedPolicies
iot:ListAuthorizers iot:ListCACertificates iot:ListCertificates iot:ListCertificatesByCA iot:ListIndices
iot:ListJobExecutionsForJob iot:ListJobExecutionsForThing iot:ListJobs iot:ListOTAUpdates
iot:ListOutgoingCertificates iot:ListPolicies iot:ListPolicyPrincipals iot:ListPolicyVersions
iot:ListPrincipalPolicies iot:ListPrincipalThings iot:ListRoleAliases iot:ListStreams iot:ListTargetsForPolicy
iot:ListThingGroups iot:ListThingGroupsForThing iot:ListThingPrincipals iot:ListThingRegistrationTaskReports
iot:ListThingRegistrationTasks iot:ListThings iot:ListThingsInThingGroup iot:ListThingTypes iot:ListTopicRules
iot:ListV2LoggingLevels iot:RegisterCACertificate iot:RegisterCertificate iot:RegisterThing
iot:RejectCertificateTransfer iot:RemoveThingFromThingGroup iot:ReplaceTopicRule iot:SearchIndex
iot:SetDefaultAuthorizer iot:SetDefaultPolicyVersion iot:SetLoggingOptions iot:SetV2LoggingLevel
iot:SetV2LoggingOptions iot:StartThingRegistrationTask iot:StopThingRegistrationTask iot:TestAuthorization
iot:TestInvokeAuthorizer iot:TransferCertificate iot:UpdateAuthorizer iot:UpdateCACertificate
iot:UpdateCertificate iot:UpdateEventConfigurations iot:UpdateIndexingConfiguration iot:UpdateRoleAlias
iot:UpdateStream iot:UpdateThing iot:UpdateThingGroup iot:UpdateThingGroupsForThing
iot:UpdateAccountAuditConfiguration iot:DescribeAccountAuditConfiguration iot:DeleteAccountAuditConfiguration
iot:StartOnDemandAuditTask iot:CancelAuditTask iot:DescribeAuditTask iot:ListAuditTasks
iot:CreateScheduledAudit iot:UpdateScheduledAudit iot:DeleteScheduledAudit iot:DescribeScheduledAudit
iot:ListScheduledAudits iot:ListAuditFindings iot:CreateSecurityProfile iot:DescribeSecurityProfile
iot:UpdateSecurityProfile iot:DeleteSecurityProfile iot:AttachSecurityProfile iot:DetachSecurityProfile
iot:ListSecurityProfiles iot:ListSecurityProfilesForTarget iot:ListTargetsForSecurityProfile
iot:ListActiveViolations iot:ListViolationEvents iot:ValidateSecurityProfileBehaviors`),
        Resource: '*',
      },
    ],
  },
  {
    path: '/',
    name: 'AWSIoTConfigReadOnlyAccess',
    version: 8,
    created: '2015-10-27T21:52:31Z',
    updated: '2019-09-27T20:52:40Z',
    statements: [
      {
        Action: list(`iot:DescribeAuthorizer iot:DescribeCACertificate iot:DescribeCertificate iot:DescribeDefaultAuthorizer
iot:DescribeEndpoint iot:DescribeEventConfigurations iot:DescribeIndex iot:DescribeJob
iot:DescribeJobExecution iot:DescribeRoleAlias iot:DescribeStream iot:DescribeThing iot:DescribeThingGroup
iot:DescribeThingRegistrationTask iot:DescribeThingType iot:GetEffectivePolicies iot:GetIndexingConfiguration
iot:GetJobDocument iot:GetLoggingOptions iot:GetOTAUpdate iot:GetPolicy iot:GetPolicyVersion
iot:GetRegistrationCode iot:GetTopicRule iot:GetV2LoggingOptions iot:ListAttachedPolicies iot:ListAuthorizers
iot:ListCACertificates iot:ListCertificates iot:ListCertificatesByCA iot:ListIndices
iot:ListJobExecutionsForJob iot:ListJobExecutionsForThing iot:ListJobs iot:ListOTAUpdates
iot:ListOutgoingCertificates iot:ListPolicies iot:ListPolicyPrincipals iot:ListPolicyVersions
iot:ListPrincipalPolicies iot:ListPrincipalThings iot:ListRoleAliases iot:ListStreams iot:ListTargetsForPolicy
iot:ListThingGroups iot:ListThingGroupsForThing iot:ListThingPrincipals iot:ListThingRegistrationTaskReports
iot:ListThingRegistrationTasks iot:ListThings iot:ListThingsInThingGroup iot:ListThingTypes iot:ListTopicRules
iot:ListV2LoggingLevels iot:SearchIndex iot:TestAuthorization iot:TestInvokeAuthorizer
iot:DescribeAccountAuditConfiguration iot:DescribeAuditTask iot:ListAuditTasks iot:DescribeScheduledAudit
iot:ListScheduledAudits iot:ListAuditFindings iot:DescribeSecurityProfile iot:ListSecurityProfiles
iot:ListSecurityProfilesForTarget iot:ListTargetsForSecurityProfile iot:ListActiveViolations
iot:ListViolationEvents iot:ValidateSecurityProfileBehaviors`),
        Resource: '*',
      },
    ],
  },
  {
    path: '/',
    name: 'AWSIoTDataAccess',
    version: 3,
    created: '2015-10-27T21:51:18Z',
    updated: '2021-06-23T21:34:47Z',
    statements: [
      {
        Action: list(`iot:Connect iot:Publish iot:Subscribe iot:Receive iot:GetThingShadow iot:UpdateThingShadow
iot:DeleteThingShadow iot:ListNamedShadowsForThing`),
        Resource: '*',
      },
    ],
  },
  {
    path: '/',
    name: 'AWSIoTFullAccess',
    version: 2,
    created: '2015-10-08T15:19:49Z',
    updated: '2022-05-19T21:39:11Z',
    statements: [{ Action: list('iot:* iotjobsdata:*'), Resource: '*' }],
  },
  {
    path: '/service-role/',
    name: 'AWSIoTLogging',
    version: 1,
    created: '2015-10-08T15:17:25Z',
    updated: '2015-10-08T15:17:25Z',
    statements: [
      {
        Action: list(`logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents logs:PutMetricFilter logs:PutRetentionPolicy
logs:GetLogEvents logs:DeleteLogStream`),
        Resource: '*',
      },
    ],
  },
  {
    path: '/service-role/',
    name: 'AWSIoTRuleActions',
    version: 2,
    created: '2015-10-08T15:14:51Z',
    updated: '2018-01-16T19:28:19Z',
    statements: [
      {
        Action: list(`dynamodb:PutItem kinesis:PutRecord iot:Publish s3:PutObject sns:Publish sqs:SendMessage*
cloudwatch:SetAlarmState cloudwatch:PutMetricData es:ESHttpPut firehose:PutRecord`),
        Resource: '*',
      },
    ],
  },
  {
    path: '/service-role/',
    name: 'AWSIoTThingsRegistration',
    version: 3,
    created: '2017-12-01T20:21:52Z',
    updated: '2020-10-05T19:20:12Z',
    statements: [
      {
        Action: list(`iot:AddThingToThingGroup iot:AttachPolicy iot:AttachPrincipalPolicy iot:AttachThingPrincipal
iot:CreateCertificateFromCsr iot:CreatePolicy iot:CreateThing iot:DescribeCertificate iot:DescribeThing
iot:DescribeThingGroup iot:DescribeThingType iot:DetachPolicy iot:DetachThingPrincipal iot:GetPolicy
iot:ListAttachedPolicies iot:ListPolicyPrincipals iot:ListPrincipalPolicies iot:ListPrincipalThings
iot:ListTargetsForPolicy iot:ListThingGroupsForThing iot:ListThingPrincipals iot:RegisterCertificate
iot:RegisterThing iot:RemoveThingFromThingGroup iot:UpdateCertificate iot:UpdateThing
iot:UpdateThingGroupsForThing iot:AddThingToBillingGroup iot:DescribeBillingGroup
iot:RemoveThingFromBillingGroup`),
        Resource: '*',
      },
    ],
  },
  {
    path: '/',
    name: 'AWSLambda_FullAccess',
    version: 7,
    created: '2020-11-17T21:14:08Z',
    updated: '2026-02-12T18:00:51Z',
    statements: [
      {
        Action: list(`cloudwatch:ListMetrics cloudwatch:GetMetricData ec2:DescribeSecurityGroups ec2:DescribeSubnets
ec2:DescribeVpcs iam:GetPolicy iam:GetPolicyVersion iam:GetRole iam:GetRolePolicy iam:ListAttachedRolePolicies
iam:ListRolePolicies iam:ListRoles lambda:* logs:DescribeLogGroups xray:GetTraceSummaries xray:BatchGetTraces`),
        Resource: '*',
      },
      {
        Action: list('iam:PassRole'),
        Resource: '*',
        Condition: { StringEquals: { 'iam:PassedToService': 'lambda.amazonaws.com' } },
      },
      {
        Action: list('logs:DescribeLogStreams logs:GetLogEvents logs:FilterLogEvents logs:StartLiveTail logs:StopLiveTail'),
        Resource: 'arn:aws:logs:*:*:log-group:/aws/lambda/*',
      },
    ],
  },
  {
    path: '/',
    name: 'AWSLambda_ReadOnlyAccess',
    version: 5,
    created: '2020-11-17T21:10:32Z',
    updated: '2026-02-12T18:02:55Z',
    statements: [
      {
        Action: list(`cloudwatch:GetMetricData cloudwatch:ListMetrics ec2:DescribeSecurityGroups ec2:DescribeSubnets
ec2:DescribeVpcs iam:GetPolicy iam:GetPolicyVersion iam:GetRole iam:GetRolePolicy iam:ListAttachedRolePolicies
iam:ListRolePolicies iam:ListRoles logs:DescribeLogGroups lambda:Get* lambda:List* xray:GetTraceSummaries
xray:BatchGetTraces`),
        Resource: '*',
      },
      {
        Action: list(`logs:DescribeLogStreams logs:GetLogEvents logs:FilterLogEvents logs:StartQuery logs:StopQuery
logs:DescribeQueries logs:GetLogGroupFields logs:GetLogRecord logs:GetQueryResults logs:StartLiveTail
logs:StopLiveTail`),
        Resource: 'arn:aws:logs:*:*:log-group:/aws/lambda/*',
      },
    ],
  },
  {
    path: '/service-role/',
    name: 'AWSLambdaBasicExecutionRole',
    version: 1,
    created: '2015-04-09T15:03:43Z',
    updated: '2015-04-09T15:03:43Z',
    statements: [{ Action: list('logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents'), Resource: '*' }],
  },
  {
    path: '/',
    name: 'AWSLambdaFullAccess',
    version: 8,
    created: '2015-02-06T18:40:45Z',
    updated: '2017-11-27T23:22:38Z',
    statements: [
      {
        Action: list(`cloudwatch:* dynamodb:* events:* iam:GetPolicy iam:GetPolicyVersion iam:GetRole iam:GetRolePolicy
iam:ListAttachedRolePolicies iam:ListRolePolicies iam:ListRoles iam:PassRole iot:AttachPrincipalPolicy
iot:AttachThingPrincipal iot:CreateKeysAndCertificate iot:CreatePolicy iot:CreateThing iot:CreateTopicRule
iot:DescribeEndpoint iot:GetTopicRule iot:ListPolicies iot:ListThings iot:ListTopicRules iot:ReplaceTopicRule
kinesis:DescribeStream kinesis:ListStreams kinesis:PutRecord lambda:* logs:* s3:* sns:ListSubscriptions
sns:ListSubscriptionsByTopic sns:ListTopics sns:Publish sns:Subscribe sns:Unsubscribe sqs:ListQueues
sqs:SendMessage xray:PutTelemetryRecords xray:PutTraceSegments`),
        Resource: '*',
      },
    ],
  },
  {
    path: '/service-role/',
    name: 'AWSLambdaRole',
    version: 1,
    created: '2015-02-06T18:41:28Z',
    updated: '2015-02-06T18:41:28Z',
    statements: [{ Action: list('lambda:InvokeFunction'), Resource: '*' }],
  },
  {
    path: '/',
    name: 'AWSXRayDaemonWriteAccess',
    version: 2,
    created: '2018-08-28T23:00:33Z',
    updated: '2024-02-13T21:58:30Z',
    statements: [
      {
        Action: list(`xray:PutTraceSegments xray:PutTelemetryRecords xray:GetSamplingRules xray:GetSamplingTargets
xray:GetSamplingStatisticSummaries`),
        Resource: '*',
      },
    ],
  },
  {
    path: '/',
    name: 'AWSXrayWriteOnlyAccess',
    version: 2,
    created: '2016-12-01T18:19:53Z',
    updated: '2018-08-28T23:03:04Z',
    statements: [
      {
        Action: list(`xray:PutTraceSegments xray:PutTelemetryRecords xray:GetSamplingRules xray:GetSamplingTargets
xray:GetSamplingStatisticSummaries`),
        Resource: '*',
      },
    ],
  },
  {
    path: '/',
    name: 'CloudWatchLogsFullAccess',
    version: 8,
    created: '2015-02-06T18:40:02Z',
    updated: '2026-02-12T18:00:33Z',
    statements: [{ Action: list('logs:* cloudwatch:GenerateQuery cloudwatch:GenerateQueryResultsSummary'), Resource: '*' }],
  },
  {
    path: '/',
    name: 'CloudWatchLogsReadOnlyAccess',
    version: 12,
    created: '2015-02-06T18:40:03Z',
    updated: '2026-02-12T17:59:13Z',
    statements: [
      {
        Action:
          list(`logs:Describe* logs:Get* logs:List* logs:StartQuery logs:StopQuery logs:TestMetricFilter logs:FilterLogEvents
logs:StartLiveTail logs:StopLiveTail cloudwatch:GenerateQuery cloudwatch:GenerateQueryResultsSummary`),
        Resource: '*',
      },
    ],
  },
  {
    path: '/',
    name: 'IAMFullAccess',
    version: 2,
    created: '2015-02-06T18:40:38Z',
    updated: '2019-06-21T19:40:00Z',
    statements: [{ Action: list('iam:*'), Resource: '*' }],
  },
  {
    path: '/',
    name: 'IAMReadOnlyAccess',
    version: 4,
    created: '2015-02-06T18:40:39Z',
    updated: '2018-01-25T19:11:27Z',
    statements: [
      {
        Action: list(`iam:GenerateCredentialReport iam:GenerateServiceLastAccessedDetails iam:Get* iam:List*
iam:SimulateCustomPolicy iam:SimulatePrincipalPolicy`),
        Resource: '*',
      },
    ],
  },
  {
    path: '/',
    name: 'IAMUserChangePassword',
    version: 5,
    created: '2016-11-15T00:25:16Z',
    updated: '2026-02-12T17:58:57Z',
    statements: [
      {
        Action: list('iam:ChangePassword'),
        Resource: ['arn:aws:iam::*:user/${aws:username}', 'arn:aws:iam::*:user/*/${aws:username}'],
      },
      { Action: list('iam:GetAccountPasswordPolicy'), Resource: '*' },
    ],
  },
  {
    path: '/',
    name: 'PowerUserAccess',
    version: 12,
    created: '2015-02-06T18:39:47Z',
    updated: '2026-02-12T17:59:14Z',
    statements: [
      { NotAction: list('iam:* organizations:* account:*'), Resource: '*' },
      { Action: list('iam:CreateServiceLinkedRole iam:DeleteServiceLinkedRole iam:ListRoles'), Resource: '*' },
    ],
  },
  {
    path: '/',
    name: 'ReadOnlyAccess',
    version: 182,
    created: '2015-02-06T18:39:48Z',
    updated: '2026-04-03T15:27:12Z',
    statements: [
      {
        Action: list(`acm:Describe* acm:Get* acm:List* ec2:Describe* ec2:Get* iam:Generate* iam:Get* iam:List* iam:Simulate*
iot:Describe* iot:Get* iot:List* lambda:Get* lambda:List* logs:Describe* logs:FilterLogEvents logs:Get*
logs:ListTagsForResource logs:ListTagsLogGroup logs:StartLiveTail logs:StartQuery logs:StopLiveTail
logs:StopQuery logs:TestMetricFilter sts:GetAccessKeyInfo sts:GetCallerIdentity sts:GetSessionToken`),
        Resource: '*',
      },
    ],
  },
];
