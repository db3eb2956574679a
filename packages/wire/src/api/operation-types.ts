/**
 * Input and output of every operation, by the AWS SDK's own types. Written by tools/generate-operations.ts: do not edit.
 */
import type * as IotSdk from '@aws-sdk/client-iot';
import type * as IotDataSdk from '@aws-sdk/client-iot-data-plane';
import type * as IotJobsDataSdk from '@aws-sdk/client-iot-jobs-data-plane';
import type * as LambdaSdk from '@aws-sdk/client-lambda';
import type * as IamSdk from '@aws-sdk/client-iam';
import type * as StsSdk from '@aws-sdk/client-sts';

/** A blob is plain bytes here, whatever else the SDK takes and gives (streams, adapters). */
type Bytes<T> = Uint8Array extends T ? Exclude<T, object> | Uint8Array : T extends Uint8Array ? Uint8Array : T;
/** What a handler is given: parsed, so blobs are bytes. */
type Input<T> = { [K in keyof T]: Bytes<T[K]> };
/** What a handler answers: no metadata, and any member may be undefined (the renderer drops those). */
type Output<T> = { [K in keyof Omit<T, '$metadata'>]: Bytes<T[K]> | undefined };

export interface IotOperations {
  AcceptCertificateTransfer: {
    input: Input<IotSdk.AcceptCertificateTransferCommandInput>;
    output: Output<IotSdk.AcceptCertificateTransferCommandOutput>;
  };
  AddThingToBillingGroup: {
    input: Input<IotSdk.AddThingToBillingGroupCommandInput>;
    output: Output<IotSdk.AddThingToBillingGroupCommandOutput>;
  };
  AddThingToThingGroup: {
    input: Input<IotSdk.AddThingToThingGroupCommandInput>;
    output: Output<IotSdk.AddThingToThingGroupCommandOutput>;
  };
  AssociateSbomWithPackageVersion: {
    input: Input<IotSdk.AssociateSbomWithPackageVersionCommandInput>;
    output: Output<IotSdk.AssociateSbomWithPackageVersionCommandOutput>;
  };
  AssociateTargetsWithJob: {
    input: Input<IotSdk.AssociateTargetsWithJobCommandInput>;
    output: Output<IotSdk.AssociateTargetsWithJobCommandOutput>;
  };
  AttachPolicy: { input: Input<IotSdk.AttachPolicyCommandInput>; output: Output<IotSdk.AttachPolicyCommandOutput> };
  AttachPrincipalPolicy: {
    input: Input<IotSdk.AttachPrincipalPolicyCommandInput>;
    output: Output<IotSdk.AttachPrincipalPolicyCommandOutput>;
  };
  AttachSecurityProfile: {
    input: Input<IotSdk.AttachSecurityProfileCommandInput>;
    output: Output<IotSdk.AttachSecurityProfileCommandOutput>;
  };
  AttachThingPrincipal: {
    input: Input<IotSdk.AttachThingPrincipalCommandInput>;
    output: Output<IotSdk.AttachThingPrincipalCommandOutput>;
  };
  CancelAuditMitigationActionsTask: {
    input: Input<IotSdk.CancelAuditMitigationActionsTaskCommandInput>;
    output: Output<IotSdk.CancelAuditMitigationActionsTaskCommandOutput>;
  };
  CancelAuditTask: { input: Input<IotSdk.CancelAuditTaskCommandInput>; output: Output<IotSdk.CancelAuditTaskCommandOutput> };
  CancelCertificateTransfer: {
    input: Input<IotSdk.CancelCertificateTransferCommandInput>;
    output: Output<IotSdk.CancelCertificateTransferCommandOutput>;
  };
  CancelDetectMitigationActionsTask: {
    input: Input<IotSdk.CancelDetectMitigationActionsTaskCommandInput>;
    output: Output<IotSdk.CancelDetectMitigationActionsTaskCommandOutput>;
  };
  CancelJob: { input: Input<IotSdk.CancelJobCommandInput>; output: Output<IotSdk.CancelJobCommandOutput> };
  CancelJobExecution: {
    input: Input<IotSdk.CancelJobExecutionCommandInput>;
    output: Output<IotSdk.CancelJobExecutionCommandOutput>;
  };
  ClearDefaultAuthorizer: {
    input: Input<IotSdk.ClearDefaultAuthorizerCommandInput>;
    output: Output<IotSdk.ClearDefaultAuthorizerCommandOutput>;
  };
  ConfirmTopicRuleDestination: {
    input: Input<IotSdk.ConfirmTopicRuleDestinationCommandInput>;
    output: Output<IotSdk.ConfirmTopicRuleDestinationCommandOutput>;
  };
  CreateAuditSuppression: {
    input: Input<IotSdk.CreateAuditSuppressionCommandInput>;
    output: Output<IotSdk.CreateAuditSuppressionCommandOutput>;
  };
  CreateAuthorizer: { input: Input<IotSdk.CreateAuthorizerCommandInput>; output: Output<IotSdk.CreateAuthorizerCommandOutput> };
  CreateBillingGroup: {
    input: Input<IotSdk.CreateBillingGroupCommandInput>;
    output: Output<IotSdk.CreateBillingGroupCommandOutput>;
  };
  CreateCertificateFromCsr: {
    input: Input<IotSdk.CreateCertificateFromCsrCommandInput>;
    output: Output<IotSdk.CreateCertificateFromCsrCommandOutput>;
  };
  CreateCertificateProvider: {
    input: Input<IotSdk.CreateCertificateProviderCommandInput>;
    output: Output<IotSdk.CreateCertificateProviderCommandOutput>;
  };
  CreateCommand: { input: Input<IotSdk.CreateCommandCommandInput>; output: Output<IotSdk.CreateCommandCommandOutput> };
  CreateCustomMetric: {
    input: Input<IotSdk.CreateCustomMetricCommandInput>;
    output: Output<IotSdk.CreateCustomMetricCommandOutput>;
  };
  CreateDimension: { input: Input<IotSdk.CreateDimensionCommandInput>; output: Output<IotSdk.CreateDimensionCommandOutput> };
  CreateDomainConfiguration: {
    input: Input<IotSdk.CreateDomainConfigurationCommandInput>;
    output: Output<IotSdk.CreateDomainConfigurationCommandOutput>;
  };
  CreateDynamicThingGroup: {
    input: Input<IotSdk.CreateDynamicThingGroupCommandInput>;
    output: Output<IotSdk.CreateDynamicThingGroupCommandOutput>;
  };
  CreateFleetMetric: {
    input: Input<IotSdk.CreateFleetMetricCommandInput>;
    output: Output<IotSdk.CreateFleetMetricCommandOutput>;
  };
  CreateJob: { input: Input<IotSdk.CreateJobCommandInput>; output: Output<IotSdk.CreateJobCommandOutput> };
  CreateJobTemplate: {
    input: Input<IotSdk.CreateJobTemplateCommandInput>;
    output: Output<IotSdk.CreateJobTemplateCommandOutput>;
  };
  CreateKeysAndCertificate: {
    input: Input<IotSdk.CreateKeysAndCertificateCommandInput>;
    output: Output<IotSdk.CreateKeysAndCertificateCommandOutput>;
  };
  CreateMitigationAction: {
    input: Input<IotSdk.CreateMitigationActionCommandInput>;
    output: Output<IotSdk.CreateMitigationActionCommandOutput>;
  };
  CreateOTAUpdate: { input: Input<IotSdk.CreateOTAUpdateCommandInput>; output: Output<IotSdk.CreateOTAUpdateCommandOutput> };
  CreatePackage: { input: Input<IotSdk.CreatePackageCommandInput>; output: Output<IotSdk.CreatePackageCommandOutput> };
  CreatePackageVersion: {
    input: Input<IotSdk.CreatePackageVersionCommandInput>;
    output: Output<IotSdk.CreatePackageVersionCommandOutput>;
  };
  CreatePolicy: { input: Input<IotSdk.CreatePolicyCommandInput>; output: Output<IotSdk.CreatePolicyCommandOutput> };
  CreatePolicyVersion: {
    input: Input<IotSdk.CreatePolicyVersionCommandInput>;
    output: Output<IotSdk.CreatePolicyVersionCommandOutput>;
  };
  CreateProvisioningClaim: {
    input: Input<IotSdk.CreateProvisioningClaimCommandInput>;
    output: Output<IotSdk.CreateProvisioningClaimCommandOutput>;
  };
  CreateProvisioningTemplate: {
    input: Input<IotSdk.CreateProvisioningTemplateCommandInput>;
    output: Output<IotSdk.CreateProvisioningTemplateCommandOutput>;
  };
  CreateProvisioningTemplateVersion: {
    input: Input<IotSdk.CreateProvisioningTemplateVersionCommandInput>;
    output: Output<IotSdk.CreateProvisioningTemplateVersionCommandOutput>;
  };
  CreateRoleAlias: { input: Input<IotSdk.CreateRoleAliasCommandInput>; output: Output<IotSdk.CreateRoleAliasCommandOutput> };
  CreateScheduledAudit: {
    input: Input<IotSdk.CreateScheduledAuditCommandInput>;
    output: Output<IotSdk.CreateScheduledAuditCommandOutput>;
  };
  CreateSecurityProfile: {
    input: Input<IotSdk.CreateSecurityProfileCommandInput>;
    output: Output<IotSdk.CreateSecurityProfileCommandOutput>;
  };
  CreateStream: { input: Input<IotSdk.CreateStreamCommandInput>; output: Output<IotSdk.CreateStreamCommandOutput> };
  CreateThing: { input: Input<IotSdk.CreateThingCommandInput>; output: Output<IotSdk.CreateThingCommandOutput> };
  CreateThingGroup: { input: Input<IotSdk.CreateThingGroupCommandInput>; output: Output<IotSdk.CreateThingGroupCommandOutput> };
  CreateThingType: { input: Input<IotSdk.CreateThingTypeCommandInput>; output: Output<IotSdk.CreateThingTypeCommandOutput> };
  CreateTopicRule: { input: Input<IotSdk.CreateTopicRuleCommandInput>; output: Output<IotSdk.CreateTopicRuleCommandOutput> };
  CreateTopicRuleDestination: {
    input: Input<IotSdk.CreateTopicRuleDestinationCommandInput>;
    output: Output<IotSdk.CreateTopicRuleDestinationCommandOutput>;
  };
  DeleteAccountAuditConfiguration: {
    input: Input<IotSdk.DeleteAccountAuditConfigurationCommandInput>;
    output: Output<IotSdk.DeleteAccountAuditConfigurationCommandOutput>;
  };
  DeleteAuditSuppression: {
    input: Input<IotSdk.DeleteAuditSuppressionCommandInput>;
    output: Output<IotSdk.DeleteAuditSuppressionCommandOutput>;
  };
  DeleteAuthorizer: { input: Input<IotSdk.DeleteAuthorizerCommandInput>; output: Output<IotSdk.DeleteAuthorizerCommandOutput> };
  DeleteBillingGroup: {
    input: Input<IotSdk.DeleteBillingGroupCommandInput>;
    output: Output<IotSdk.DeleteBillingGroupCommandOutput>;
  };
  DeleteCACertificate: {
    input: Input<IotSdk.DeleteCACertificateCommandInput>;
    output: Output<IotSdk.DeleteCACertificateCommandOutput>;
  };
  DeleteCertificate: {
    input: Input<IotSdk.DeleteCertificateCommandInput>;
    output: Output<IotSdk.DeleteCertificateCommandOutput>;
  };
  DeleteCertificateProvider: {
    input: Input<IotSdk.DeleteCertificateProviderCommandInput>;
    output: Output<IotSdk.DeleteCertificateProviderCommandOutput>;
  };
  DeleteCommand: { input: Input<IotSdk.DeleteCommandCommandInput>; output: Output<IotSdk.DeleteCommandCommandOutput> };
  DeleteCommandExecution: {
    input: Input<IotSdk.DeleteCommandExecutionCommandInput>;
    output: Output<IotSdk.DeleteCommandExecutionCommandOutput>;
  };
  DeleteCustomMetric: {
    input: Input<IotSdk.DeleteCustomMetricCommandInput>;
    output: Output<IotSdk.DeleteCustomMetricCommandOutput>;
  };
  DeleteDimension: { input: Input<IotSdk.DeleteDimensionCommandInput>; output: Output<IotSdk.DeleteDimensionCommandOutput> };
  DeleteDomainConfiguration: {
    input: Input<IotSdk.DeleteDomainConfigurationCommandInput>;
    output: Output<IotSdk.DeleteDomainConfigurationCommandOutput>;
  };
  DeleteDynamicThingGroup: {
    input: Input<IotSdk.DeleteDynamicThingGroupCommandInput>;
    output: Output<IotSdk.DeleteDynamicThingGroupCommandOutput>;
  };
  DeleteFleetMetric: {
    input: Input<IotSdk.DeleteFleetMetricCommandInput>;
    output: Output<IotSdk.DeleteFleetMetricCommandOutput>;
  };
  DeleteJob: { input: Input<IotSdk.DeleteJobCommandInput>; output: Output<IotSdk.DeleteJobCommandOutput> };
  DeleteJobExecution: {
    input: Input<IotSdk.DeleteJobExecutionCommandInput>;
    output: Output<IotSdk.DeleteJobExecutionCommandOutput>;
  };
  DeleteJobTemplate: {
    input: Input<IotSdk.DeleteJobTemplateCommandInput>;
    output: Output<IotSdk.DeleteJobTemplateCommandOutput>;
  };
  DeleteMitigationAction: {
    input: Input<IotSdk.DeleteMitigationActionCommandInput>;
    output: Output<IotSdk.DeleteMitigationActionCommandOutput>;
  };
  DeleteOTAUpdate: { input: Input<IotSdk.DeleteOTAUpdateCommandInput>; output: Output<IotSdk.DeleteOTAUpdateCommandOutput> };
  DeletePackage: { input: Input<IotSdk.DeletePackageCommandInput>; output: Output<IotSdk.DeletePackageCommandOutput> };
  DeletePackageVersion: {
    input: Input<IotSdk.DeletePackageVersionCommandInput>;
    output: Output<IotSdk.DeletePackageVersionCommandOutput>;
  };
  DeletePolicy: { input: Input<IotSdk.DeletePolicyCommandInput>; output: Output<IotSdk.DeletePolicyCommandOutput> };
  DeletePolicyVersion: {
    input: Input<IotSdk.DeletePolicyVersionCommandInput>;
    output: Output<IotSdk.DeletePolicyVersionCommandOutput>;
  };
  DeleteProvisioningTemplate: {
    input: Input<IotSdk.DeleteProvisioningTemplateCommandInput>;
    output: Output<IotSdk.DeleteProvisioningTemplateCommandOutput>;
  };
  DeleteProvisioningTemplateVersion: {
    input: Input<IotSdk.DeleteProvisioningTemplateVersionCommandInput>;
    output: Output<IotSdk.DeleteProvisioningTemplateVersionCommandOutput>;
  };
  DeleteRegistrationCode: {
    input: Input<IotSdk.DeleteRegistrationCodeCommandInput>;
    output: Output<IotSdk.DeleteRegistrationCodeCommandOutput>;
  };
  DeleteRoleAlias: { input: Input<IotSdk.DeleteRoleAliasCommandInput>; output: Output<IotSdk.DeleteRoleAliasCommandOutput> };
  DeleteScheduledAudit: {
    input: Input<IotSdk.DeleteScheduledAuditCommandInput>;
    output: Output<IotSdk.DeleteScheduledAuditCommandOutput>;
  };
  DeleteSecurityProfile: {
    input: Input<IotSdk.DeleteSecurityProfileCommandInput>;
    output: Output<IotSdk.DeleteSecurityProfileCommandOutput>;
  };
  DeleteStream: { input: Input<IotSdk.DeleteStreamCommandInput>; output: Output<IotSdk.DeleteStreamCommandOutput> };
  DeleteThing: { input: Input<IotSdk.DeleteThingCommandInput>; output: Output<IotSdk.DeleteThingCommandOutput> };
  DeleteThingGroup: { input: Input<IotSdk.DeleteThingGroupCommandInput>; output: Output<IotSdk.DeleteThingGroupCommandOutput> };
  DeleteThingType: { input: Input<IotSdk.DeleteThingTypeCommandInput>; output: Output<IotSdk.DeleteThingTypeCommandOutput> };
  DeleteTopicRule: { input: Input<IotSdk.DeleteTopicRuleCommandInput>; output: Output<IotSdk.DeleteTopicRuleCommandOutput> };
  DeleteTopicRuleDestination: {
    input: Input<IotSdk.DeleteTopicRuleDestinationCommandInput>;
    output: Output<IotSdk.DeleteTopicRuleDestinationCommandOutput>;
  };
  DeleteV2LoggingLevel: {
    input: Input<IotSdk.DeleteV2LoggingLevelCommandInput>;
    output: Output<IotSdk.DeleteV2LoggingLevelCommandOutput>;
  };
  DeprecateThingType: {
    input: Input<IotSdk.DeprecateThingTypeCommandInput>;
    output: Output<IotSdk.DeprecateThingTypeCommandOutput>;
  };
  DescribeAccountAuditConfiguration: {
    input: Input<IotSdk.DescribeAccountAuditConfigurationCommandInput>;
    output: Output<IotSdk.DescribeAccountAuditConfigurationCommandOutput>;
  };
  DescribeAuditFinding: {
    input: Input<IotSdk.DescribeAuditFindingCommandInput>;
    output: Output<IotSdk.DescribeAuditFindingCommandOutput>;
  };
  DescribeAuditMitigationActionsTask: {
    input: Input<IotSdk.DescribeAuditMitigationActionsTaskCommandInput>;
    output: Output<IotSdk.DescribeAuditMitigationActionsTaskCommandOutput>;
  };
  DescribeAuditSuppression: {
    input: Input<IotSdk.DescribeAuditSuppressionCommandInput>;
    output: Output<IotSdk.DescribeAuditSuppressionCommandOutput>;
  };
  DescribeAuditTask: {
    input: Input<IotSdk.DescribeAuditTaskCommandInput>;
    output: Output<IotSdk.DescribeAuditTaskCommandOutput>;
  };
  DescribeAuthorizer: {
    input: Input<IotSdk.DescribeAuthorizerCommandInput>;
    output: Output<IotSdk.DescribeAuthorizerCommandOutput>;
  };
  DescribeBillingGroup: {
    input: Input<IotSdk.DescribeBillingGroupCommandInput>;
    output: Output<IotSdk.DescribeBillingGroupCommandOutput>;
  };
  DescribeCACertificate: {
    input: Input<IotSdk.DescribeCACertificateCommandInput>;
    output: Output<IotSdk.DescribeCACertificateCommandOutput>;
  };
  DescribeCertificate: {
    input: Input<IotSdk.DescribeCertificateCommandInput>;
    output: Output<IotSdk.DescribeCertificateCommandOutput>;
  };
  DescribeCertificateProvider: {
    input: Input<IotSdk.DescribeCertificateProviderCommandInput>;
    output: Output<IotSdk.DescribeCertificateProviderCommandOutput>;
  };
  DescribeCustomMetric: {
    input: Input<IotSdk.DescribeCustomMetricCommandInput>;
    output: Output<IotSdk.DescribeCustomMetricCommandOutput>;
  };
  DescribeDefaultAuthorizer: {
    input: Input<IotSdk.DescribeDefaultAuthorizerCommandInput>;
    output: Output<IotSdk.DescribeDefaultAuthorizerCommandOutput>;
  };
  DescribeDetectMitigationActionsTask: {
    input: Input<IotSdk.DescribeDetectMitigationActionsTaskCommandInput>;
    output: Output<IotSdk.DescribeDetectMitigationActionsTaskCommandOutput>;
  };
  DescribeDimension: {
    input: Input<IotSdk.DescribeDimensionCommandInput>;
    output: Output<IotSdk.DescribeDimensionCommandOutput>;
  };
  DescribeDomainConfiguration: {
    input: Input<IotSdk.DescribeDomainConfigurationCommandInput>;
    output: Output<IotSdk.DescribeDomainConfigurationCommandOutput>;
  };
  DescribeEncryptionConfiguration: {
    input: Input<IotSdk.DescribeEncryptionConfigurationCommandInput>;
    output: Output<IotSdk.DescribeEncryptionConfigurationCommandOutput>;
  };
  DescribeEndpoint: { input: Input<IotSdk.DescribeEndpointCommandInput>; output: Output<IotSdk.DescribeEndpointCommandOutput> };
  DescribeEventConfigurations: {
    input: Input<IotSdk.DescribeEventConfigurationsCommandInput>;
    output: Output<IotSdk.DescribeEventConfigurationsCommandOutput>;
  };
  DescribeFleetMetric: {
    input: Input<IotSdk.DescribeFleetMetricCommandInput>;
    output: Output<IotSdk.DescribeFleetMetricCommandOutput>;
  };
  DescribeIndex: { input: Input<IotSdk.DescribeIndexCommandInput>; output: Output<IotSdk.DescribeIndexCommandOutput> };
  DescribeJob: { input: Input<IotSdk.DescribeJobCommandInput>; output: Output<IotSdk.DescribeJobCommandOutput> };
  DescribeJobExecution: {
    input: Input<IotSdk.DescribeJobExecutionCommandInput>;
    output: Output<IotSdk.DescribeJobExecutionCommandOutput>;
  };
  DescribeJobTemplate: {
    input: Input<IotSdk.DescribeJobTemplateCommandInput>;
    output: Output<IotSdk.DescribeJobTemplateCommandOutput>;
  };
  DescribeManagedJobTemplate: {
    input: Input<IotSdk.DescribeManagedJobTemplateCommandInput>;
    output: Output<IotSdk.DescribeManagedJobTemplateCommandOutput>;
  };
  DescribeMitigationAction: {
    input: Input<IotSdk.DescribeMitigationActionCommandInput>;
    output: Output<IotSdk.DescribeMitigationActionCommandOutput>;
  };
  DescribeProvisioningTemplate: {
    input: Input<IotSdk.DescribeProvisioningTemplateCommandInput>;
    output: Output<IotSdk.DescribeProvisioningTemplateCommandOutput>;
  };
  DescribeProvisioningTemplateVersion: {
    input: Input<IotSdk.DescribeProvisioningTemplateVersionCommandInput>;
    output: Output<IotSdk.DescribeProvisioningTemplateVersionCommandOutput>;
  };
  DescribeRoleAlias: {
    input: Input<IotSdk.DescribeRoleAliasCommandInput>;
    output: Output<IotSdk.DescribeRoleAliasCommandOutput>;
  };
  DescribeScheduledAudit: {
    input: Input<IotSdk.DescribeScheduledAuditCommandInput>;
    output: Output<IotSdk.DescribeScheduledAuditCommandOutput>;
  };
  DescribeSecurityProfile: {
    input: Input<IotSdk.DescribeSecurityProfileCommandInput>;
    output: Output<IotSdk.DescribeSecurityProfileCommandOutput>;
  };
  DescribeStream: { input: Input<IotSdk.DescribeStreamCommandInput>; output: Output<IotSdk.DescribeStreamCommandOutput> };
  DescribeThing: { input: Input<IotSdk.DescribeThingCommandInput>; output: Output<IotSdk.DescribeThingCommandOutput> };
  DescribeThingGroup: {
    input: Input<IotSdk.DescribeThingGroupCommandInput>;
    output: Output<IotSdk.DescribeThingGroupCommandOutput>;
  };
  DescribeThingRegistrationTask: {
    input: Input<IotSdk.DescribeThingRegistrationTaskCommandInput>;
    output: Output<IotSdk.DescribeThingRegistrationTaskCommandOutput>;
  };
  DescribeThingType: {
    input: Input<IotSdk.DescribeThingTypeCommandInput>;
    output: Output<IotSdk.DescribeThingTypeCommandOutput>;
  };
  DetachPolicy: { input: Input<IotSdk.DetachPolicyCommandInput>; output: Output<IotSdk.DetachPolicyCommandOutput> };
  DetachPrincipalPolicy: {
    input: Input<IotSdk.DetachPrincipalPolicyCommandInput>;
    output: Output<IotSdk.DetachPrincipalPolicyCommandOutput>;
  };
  DetachSecurityProfile: {
    input: Input<IotSdk.DetachSecurityProfileCommandInput>;
    output: Output<IotSdk.DetachSecurityProfileCommandOutput>;
  };
  DetachThingPrincipal: {
    input: Input<IotSdk.DetachThingPrincipalCommandInput>;
    output: Output<IotSdk.DetachThingPrincipalCommandOutput>;
  };
  DisableTopicRule: { input: Input<IotSdk.DisableTopicRuleCommandInput>; output: Output<IotSdk.DisableTopicRuleCommandOutput> };
  DisassociateSbomFromPackageVersion: {
    input: Input<IotSdk.DisassociateSbomFromPackageVersionCommandInput>;
    output: Output<IotSdk.DisassociateSbomFromPackageVersionCommandOutput>;
  };
  EnableTopicRule: { input: Input<IotSdk.EnableTopicRuleCommandInput>; output: Output<IotSdk.EnableTopicRuleCommandOutput> };
  GetBehaviorModelTrainingSummaries: {
    input: Input<IotSdk.GetBehaviorModelTrainingSummariesCommandInput>;
    output: Output<IotSdk.GetBehaviorModelTrainingSummariesCommandOutput>;
  };
  GetBucketsAggregation: {
    input: Input<IotSdk.GetBucketsAggregationCommandInput>;
    output: Output<IotSdk.GetBucketsAggregationCommandOutput>;
  };
  GetCardinality: { input: Input<IotSdk.GetCardinalityCommandInput>; output: Output<IotSdk.GetCardinalityCommandOutput> };
  GetCommand: { input: Input<IotSdk.GetCommandCommandInput>; output: Output<IotSdk.GetCommandCommandOutput> };
  GetCommandExecution: {
    input: Input<IotSdk.GetCommandExecutionCommandInput>;
    output: Output<IotSdk.GetCommandExecutionCommandOutput>;
  };
  GetEffectivePolicies: {
    input: Input<IotSdk.GetEffectivePoliciesCommandInput>;
    output: Output<IotSdk.GetEffectivePoliciesCommandOutput>;
  };
  GetIndexingConfiguration: {
    input: Input<IotSdk.GetIndexingConfigurationCommandInput>;
    output: Output<IotSdk.GetIndexingConfigurationCommandOutput>;
  };
  GetJobDocument: { input: Input<IotSdk.GetJobDocumentCommandInput>; output: Output<IotSdk.GetJobDocumentCommandOutput> };
  GetLoggingOptions: {
    input: Input<IotSdk.GetLoggingOptionsCommandInput>;
    output: Output<IotSdk.GetLoggingOptionsCommandOutput>;
  };
  GetOTAUpdate: { input: Input<IotSdk.GetOTAUpdateCommandInput>; output: Output<IotSdk.GetOTAUpdateCommandOutput> };
  GetPackage: { input: Input<IotSdk.GetPackageCommandInput>; output: Output<IotSdk.GetPackageCommandOutput> };
  GetPackageConfiguration: {
    input: Input<IotSdk.GetPackageConfigurationCommandInput>;
    output: Output<IotSdk.GetPackageConfigurationCommandOutput>;
  };
  GetPackageVersion: {
    input: Input<IotSdk.GetPackageVersionCommandInput>;
    output: Output<IotSdk.GetPackageVersionCommandOutput>;
  };
  GetPercentiles: { input: Input<IotSdk.GetPercentilesCommandInput>; output: Output<IotSdk.GetPercentilesCommandOutput> };
  GetPolicy: { input: Input<IotSdk.GetPolicyCommandInput>; output: Output<IotSdk.GetPolicyCommandOutput> };
  GetPolicyVersion: { input: Input<IotSdk.GetPolicyVersionCommandInput>; output: Output<IotSdk.GetPolicyVersionCommandOutput> };
  GetRegistrationCode: {
    input: Input<IotSdk.GetRegistrationCodeCommandInput>;
    output: Output<IotSdk.GetRegistrationCodeCommandOutput>;
  };
  GetStatistics: { input: Input<IotSdk.GetStatisticsCommandInput>; output: Output<IotSdk.GetStatisticsCommandOutput> };
  GetThingConnectivityData: {
    input: Input<IotSdk.GetThingConnectivityDataCommandInput>;
    output: Output<IotSdk.GetThingConnectivityDataCommandOutput>;
  };
  GetTopicRule: { input: Input<IotSdk.GetTopicRuleCommandInput>; output: Output<IotSdk.GetTopicRuleCommandOutput> };
  GetTopicRuleDestination: {
    input: Input<IotSdk.GetTopicRuleDestinationCommandInput>;
    output: Output<IotSdk.GetTopicRuleDestinationCommandOutput>;
  };
  GetV2LoggingOptions: {
    input: Input<IotSdk.GetV2LoggingOptionsCommandInput>;
    output: Output<IotSdk.GetV2LoggingOptionsCommandOutput>;
  };
  ListActiveViolations: {
    input: Input<IotSdk.ListActiveViolationsCommandInput>;
    output: Output<IotSdk.ListActiveViolationsCommandOutput>;
  };
  ListAttachedPolicies: {
    input: Input<IotSdk.ListAttachedPoliciesCommandInput>;
    output: Output<IotSdk.ListAttachedPoliciesCommandOutput>;
  };
  ListAuditFindings: {
    input: Input<IotSdk.ListAuditFindingsCommandInput>;
    output: Output<IotSdk.ListAuditFindingsCommandOutput>;
  };
  ListAuditMitigationActionsExecutions: {
    input: Input<IotSdk.ListAuditMitigationActionsExecutionsCommandInput>;
    output: Output<IotSdk.ListAuditMitigationActionsExecutionsCommandOutput>;
  };
  ListAuditMitigationActionsTasks: {
    input: Input<IotSdk.ListAuditMitigationActionsTasksCommandInput>;
    output: Output<IotSdk.ListAuditMitigationActionsTasksCommandOutput>;
  };
  ListAuditSuppressions: {
    input: Input<IotSdk.ListAuditSuppressionsCommandInput>;
    output: Output<IotSdk.ListAuditSuppressionsCommandOutput>;
  };
  ListAuditTasks: { input: Input<IotSdk.ListAuditTasksCommandInput>; output: Output<IotSdk.ListAuditTasksCommandOutput> };
  ListAuthorizers: { input: Input<IotSdk.ListAuthorizersCommandInput>; output: Output<IotSdk.ListAuthorizersCommandOutput> };
  ListBillingGroups: {
    input: Input<IotSdk.ListBillingGroupsCommandInput>;
    output: Output<IotSdk.ListBillingGroupsCommandOutput>;
  };
  ListCACertificates: {
    input: Input<IotSdk.ListCACertificatesCommandInput>;
    output: Output<IotSdk.ListCACertificatesCommandOutput>;
  };
  ListCertificateProviders: {
    input: Input<IotSdk.ListCertificateProvidersCommandInput>;
    output: Output<IotSdk.ListCertificateProvidersCommandOutput>;
  };
  ListCertificates: { input: Input<IotSdk.ListCertificatesCommandInput>; output: Output<IotSdk.ListCertificatesCommandOutput> };
  ListCertificatesByCA: {
    input: Input<IotSdk.ListCertificatesByCACommandInput>;
    output: Output<IotSdk.ListCertificatesByCACommandOutput>;
  };
  ListCommandExecutions: {
    input: Input<IotSdk.ListCommandExecutionsCommandInput>;
    output: Output<IotSdk.ListCommandExecutionsCommandOutput>;
  };
  ListCommands: { input: Input<IotSdk.ListCommandsCommandInput>; output: Output<IotSdk.ListCommandsCommandOutput> };
  ListCustomMetrics: {
    input: Input<IotSdk.ListCustomMetricsCommandInput>;
    output: Output<IotSdk.ListCustomMetricsCommandOutput>;
  };
  ListDetectMitigationActionsExecutions: {
    input: Input<IotSdk.ListDetectMitigationActionsExecutionsCommandInput>;
    output: Output<IotSdk.ListDetectMitigationActionsExecutionsCommandOutput>;
  };
  ListDetectMitigationActionsTasks: {
    input: Input<IotSdk.ListDetectMitigationActionsTasksCommandInput>;
    output: Output<IotSdk.ListDetectMitigationActionsTasksCommandOutput>;
  };
  ListDimensions: { input: Input<IotSdk.ListDimensionsCommandInput>; output: Output<IotSdk.ListDimensionsCommandOutput> };
  ListDomainConfigurations: {
    input: Input<IotSdk.ListDomainConfigurationsCommandInput>;
    output: Output<IotSdk.ListDomainConfigurationsCommandOutput>;
  };
  ListFleetMetrics: { input: Input<IotSdk.ListFleetMetricsCommandInput>; output: Output<IotSdk.ListFleetMetricsCommandOutput> };
  ListIndices: { input: Input<IotSdk.ListIndicesCommandInput>; output: Output<IotSdk.ListIndicesCommandOutput> };
  ListJobExecutionsForJob: {
    input: Input<IotSdk.ListJobExecutionsForJobCommandInput>;
    output: Output<IotSdk.ListJobExecutionsForJobCommandOutput>;
  };
  ListJobExecutionsForThing: {
    input: Input<IotSdk.ListJobExecutionsForThingCommandInput>;
    output: Output<IotSdk.ListJobExecutionsForThingCommandOutput>;
  };
  ListJobTemplates: { input: Input<IotSdk.ListJobTemplatesCommandInput>; output: Output<IotSdk.ListJobTemplatesCommandOutput> };
  ListJobs: { input: Input<IotSdk.ListJobsCommandInput>; output: Output<IotSdk.ListJobsCommandOutput> };
  ListManagedJobTemplates: {
    input: Input<IotSdk.ListManagedJobTemplatesCommandInput>;
    output: Output<IotSdk.ListManagedJobTemplatesCommandOutput>;
  };
  ListMetricValues: { input: Input<IotSdk.ListMetricValuesCommandInput>; output: Output<IotSdk.ListMetricValuesCommandOutput> };
  ListMitigationActions: {
    input: Input<IotSdk.ListMitigationActionsCommandInput>;
    output: Output<IotSdk.ListMitigationActionsCommandOutput>;
  };
  ListOTAUpdates: { input: Input<IotSdk.ListOTAUpdatesCommandInput>; output: Output<IotSdk.ListOTAUpdatesCommandOutput> };
  ListOutgoingCertificates: {
    input: Input<IotSdk.ListOutgoingCertificatesCommandInput>;
    output: Output<IotSdk.ListOutgoingCertificatesCommandOutput>;
  };
  ListPackageVersions: {
    input: Input<IotSdk.ListPackageVersionsCommandInput>;
    output: Output<IotSdk.ListPackageVersionsCommandOutput>;
  };
  ListPackages: { input: Input<IotSdk.ListPackagesCommandInput>; output: Output<IotSdk.ListPackagesCommandOutput> };
  ListPolicies: { input: Input<IotSdk.ListPoliciesCommandInput>; output: Output<IotSdk.ListPoliciesCommandOutput> };
  ListPolicyPrincipals: {
    input: Input<IotSdk.ListPolicyPrincipalsCommandInput>;
    output: Output<IotSdk.ListPolicyPrincipalsCommandOutput>;
  };
  ListPolicyVersions: {
    input: Input<IotSdk.ListPolicyVersionsCommandInput>;
    output: Output<IotSdk.ListPolicyVersionsCommandOutput>;
  };
  ListPrincipalPolicies: {
    input: Input<IotSdk.ListPrincipalPoliciesCommandInput>;
    output: Output<IotSdk.ListPrincipalPoliciesCommandOutput>;
  };
  ListPrincipalThings: {
    input: Input<IotSdk.ListPrincipalThingsCommandInput>;
    output: Output<IotSdk.ListPrincipalThingsCommandOutput>;
  };
  ListPrincipalThingsV2: {
    input: Input<IotSdk.ListPrincipalThingsV2CommandInput>;
    output: Output<IotSdk.ListPrincipalThingsV2CommandOutput>;
  };
  ListProvisioningTemplateVersions: {
    input: Input<IotSdk.ListProvisioningTemplateVersionsCommandInput>;
    output: Output<IotSdk.ListProvisioningTemplateVersionsCommandOutput>;
  };
  ListProvisioningTemplates: {
    input: Input<IotSdk.ListProvisioningTemplatesCommandInput>;
    output: Output<IotSdk.ListProvisioningTemplatesCommandOutput>;
  };
  ListRelatedResourcesForAuditFinding: {
    input: Input<IotSdk.ListRelatedResourcesForAuditFindingCommandInput>;
    output: Output<IotSdk.ListRelatedResourcesForAuditFindingCommandOutput>;
  };
  ListRoleAliases: { input: Input<IotSdk.ListRoleAliasesCommandInput>; output: Output<IotSdk.ListRoleAliasesCommandOutput> };
  ListSbomValidationResults: {
    input: Input<IotSdk.ListSbomValidationResultsCommandInput>;
    output: Output<IotSdk.ListSbomValidationResultsCommandOutput>;
  };
  ListScheduledAudits: {
    input: Input<IotSdk.ListScheduledAuditsCommandInput>;
    output: Output<IotSdk.ListScheduledAuditsCommandOutput>;
  };
  ListSecurityProfiles: {
    input: Input<IotSdk.ListSecurityProfilesCommandInput>;
    output: Output<IotSdk.ListSecurityProfilesCommandOutput>;
  };
  ListSecurityProfilesForTarget: {
    input: Input<IotSdk.ListSecurityProfilesForTargetCommandInput>;
    output: Output<IotSdk.ListSecurityProfilesForTargetCommandOutput>;
  };
  ListStreams: { input: Input<IotSdk.ListStreamsCommandInput>; output: Output<IotSdk.ListStreamsCommandOutput> };
  ListTagsForResource: {
    input: Input<IotSdk.ListTagsForResourceCommandInput>;
    output: Output<IotSdk.ListTagsForResourceCommandOutput>;
  };
  ListTargetsForPolicy: {
    input: Input<IotSdk.ListTargetsForPolicyCommandInput>;
    output: Output<IotSdk.ListTargetsForPolicyCommandOutput>;
  };
  ListTargetsForSecurityProfile: {
    input: Input<IotSdk.ListTargetsForSecurityProfileCommandInput>;
    output: Output<IotSdk.ListTargetsForSecurityProfileCommandOutput>;
  };
  ListThingGroups: { input: Input<IotSdk.ListThingGroupsCommandInput>; output: Output<IotSdk.ListThingGroupsCommandOutput> };
  ListThingGroupsForThing: {
    input: Input<IotSdk.ListThingGroupsForThingCommandInput>;
    output: Output<IotSdk.ListThingGroupsForThingCommandOutput>;
  };
  ListThingPrincipals: {
    input: Input<IotSdk.ListThingPrincipalsCommandInput>;
    output: Output<IotSdk.ListThingPrincipalsCommandOutput>;
  };
  ListThingPrincipalsV2: {
    input: Input<IotSdk.ListThingPrincipalsV2CommandInput>;
    output: Output<IotSdk.ListThingPrincipalsV2CommandOutput>;
  };
  ListThingRegistrationTaskReports: {
    input: Input<IotSdk.ListThingRegistrationTaskReportsCommandInput>;
    output: Output<IotSdk.ListThingRegistrationTaskReportsCommandOutput>;
  };
  ListThingRegistrationTasks: {
    input: Input<IotSdk.ListThingRegistrationTasksCommandInput>;
    output: Output<IotSdk.ListThingRegistrationTasksCommandOutput>;
  };
  ListThingTypes: { input: Input<IotSdk.ListThingTypesCommandInput>; output: Output<IotSdk.ListThingTypesCommandOutput> };
  ListThings: { input: Input<IotSdk.ListThingsCommandInput>; output: Output<IotSdk.ListThingsCommandOutput> };
  ListThingsInBillingGroup: {
    input: Input<IotSdk.ListThingsInBillingGroupCommandInput>;
    output: Output<IotSdk.ListThingsInBillingGroupCommandOutput>;
  };
  ListThingsInThingGroup: {
    input: Input<IotSdk.ListThingsInThingGroupCommandInput>;
    output: Output<IotSdk.ListThingsInThingGroupCommandOutput>;
  };
  ListTopicRuleDestinations: {
    input: Input<IotSdk.ListTopicRuleDestinationsCommandInput>;
    output: Output<IotSdk.ListTopicRuleDestinationsCommandOutput>;
  };
  ListTopicRules: { input: Input<IotSdk.ListTopicRulesCommandInput>; output: Output<IotSdk.ListTopicRulesCommandOutput> };
  ListV2LoggingLevels: {
    input: Input<IotSdk.ListV2LoggingLevelsCommandInput>;
    output: Output<IotSdk.ListV2LoggingLevelsCommandOutput>;
  };
  ListViolationEvents: {
    input: Input<IotSdk.ListViolationEventsCommandInput>;
    output: Output<IotSdk.ListViolationEventsCommandOutput>;
  };
  PutVerificationStateOnViolation: {
    input: Input<IotSdk.PutVerificationStateOnViolationCommandInput>;
    output: Output<IotSdk.PutVerificationStateOnViolationCommandOutput>;
  };
  RegisterCACertificate: {
    input: Input<IotSdk.RegisterCACertificateCommandInput>;
    output: Output<IotSdk.RegisterCACertificateCommandOutput>;
  };
  RegisterCertificate: {
    input: Input<IotSdk.RegisterCertificateCommandInput>;
    output: Output<IotSdk.RegisterCertificateCommandOutput>;
  };
  RegisterCertificateWithoutCA: {
    input: Input<IotSdk.RegisterCertificateWithoutCACommandInput>;
    output: Output<IotSdk.RegisterCertificateWithoutCACommandOutput>;
  };
  RegisterThing: { input: Input<IotSdk.RegisterThingCommandInput>; output: Output<IotSdk.RegisterThingCommandOutput> };
  RejectCertificateTransfer: {
    input: Input<IotSdk.RejectCertificateTransferCommandInput>;
    output: Output<IotSdk.RejectCertificateTransferCommandOutput>;
  };
  RemoveThingFromBillingGroup: {
    input: Input<IotSdk.RemoveThingFromBillingGroupCommandInput>;
    output: Output<IotSdk.RemoveThingFromBillingGroupCommandOutput>;
  };
  RemoveThingFromThingGroup: {
    input: Input<IotSdk.RemoveThingFromThingGroupCommandInput>;
    output: Output<IotSdk.RemoveThingFromThingGroupCommandOutput>;
  };
  ReplaceTopicRule: { input: Input<IotSdk.ReplaceTopicRuleCommandInput>; output: Output<IotSdk.ReplaceTopicRuleCommandOutput> };
  SearchIndex: { input: Input<IotSdk.SearchIndexCommandInput>; output: Output<IotSdk.SearchIndexCommandOutput> };
  SetDefaultAuthorizer: {
    input: Input<IotSdk.SetDefaultAuthorizerCommandInput>;
    output: Output<IotSdk.SetDefaultAuthorizerCommandOutput>;
  };
  SetDefaultPolicyVersion: {
    input: Input<IotSdk.SetDefaultPolicyVersionCommandInput>;
    output: Output<IotSdk.SetDefaultPolicyVersionCommandOutput>;
  };
  SetLoggingOptions: {
    input: Input<IotSdk.SetLoggingOptionsCommandInput>;
    output: Output<IotSdk.SetLoggingOptionsCommandOutput>;
  };
  SetV2LoggingLevel: {
    input: Input<IotSdk.SetV2LoggingLevelCommandInput>;
    output: Output<IotSdk.SetV2LoggingLevelCommandOutput>;
  };
  SetV2LoggingOptions: {
    input: Input<IotSdk.SetV2LoggingOptionsCommandInput>;
    output: Output<IotSdk.SetV2LoggingOptionsCommandOutput>;
  };
  StartAuditMitigationActionsTask: {
    input: Input<IotSdk.StartAuditMitigationActionsTaskCommandInput>;
    output: Output<IotSdk.StartAuditMitigationActionsTaskCommandOutput>;
  };
  StartDetectMitigationActionsTask: {
    input: Input<IotSdk.StartDetectMitigationActionsTaskCommandInput>;
    output: Output<IotSdk.StartDetectMitigationActionsTaskCommandOutput>;
  };
  StartOnDemandAuditTask: {
    input: Input<IotSdk.StartOnDemandAuditTaskCommandInput>;
    output: Output<IotSdk.StartOnDemandAuditTaskCommandOutput>;
  };
  StartThingRegistrationTask: {
    input: Input<IotSdk.StartThingRegistrationTaskCommandInput>;
    output: Output<IotSdk.StartThingRegistrationTaskCommandOutput>;
  };
  StopThingRegistrationTask: {
    input: Input<IotSdk.StopThingRegistrationTaskCommandInput>;
    output: Output<IotSdk.StopThingRegistrationTaskCommandOutput>;
  };
  TagResource: { input: Input<IotSdk.TagResourceCommandInput>; output: Output<IotSdk.TagResourceCommandOutput> };
  TestAuthorization: {
    input: Input<IotSdk.TestAuthorizationCommandInput>;
    output: Output<IotSdk.TestAuthorizationCommandOutput>;
  };
  TestInvokeAuthorizer: {
    input: Input<IotSdk.TestInvokeAuthorizerCommandInput>;
    output: Output<IotSdk.TestInvokeAuthorizerCommandOutput>;
  };
  TransferCertificate: {
    input: Input<IotSdk.TransferCertificateCommandInput>;
    output: Output<IotSdk.TransferCertificateCommandOutput>;
  };
  UntagResource: { input: Input<IotSdk.UntagResourceCommandInput>; output: Output<IotSdk.UntagResourceCommandOutput> };
  UpdateAccountAuditConfiguration: {
    input: Input<IotSdk.UpdateAccountAuditConfigurationCommandInput>;
    output: Output<IotSdk.UpdateAccountAuditConfigurationCommandOutput>;
  };
  UpdateAuditSuppression: {
    input: Input<IotSdk.UpdateAuditSuppressionCommandInput>;
    output: Output<IotSdk.UpdateAuditSuppressionCommandOutput>;
  };
  UpdateAuthorizer: { input: Input<IotSdk.UpdateAuthorizerCommandInput>; output: Output<IotSdk.UpdateAuthorizerCommandOutput> };
  UpdateBillingGroup: {
    input: Input<IotSdk.UpdateBillingGroupCommandInput>;
    output: Output<IotSdk.UpdateBillingGroupCommandOutput>;
  };
  UpdateCACertificate: {
    input: Input<IotSdk.UpdateCACertificateCommandInput>;
    output: Output<IotSdk.UpdateCACertificateCommandOutput>;
  };
  UpdateCertificate: {
    input: Input<IotSdk.UpdateCertificateCommandInput>;
    output: Output<IotSdk.UpdateCertificateCommandOutput>;
  };
  UpdateCertificateProvider: {
    input: Input<IotSdk.UpdateCertificateProviderCommandInput>;
    output: Output<IotSdk.UpdateCertificateProviderCommandOutput>;
  };
  UpdateCommand: { input: Input<IotSdk.UpdateCommandCommandInput>; output: Output<IotSdk.UpdateCommandCommandOutput> };
  UpdateCustomMetric: {
    input: Input<IotSdk.UpdateCustomMetricCommandInput>;
    output: Output<IotSdk.UpdateCustomMetricCommandOutput>;
  };
  UpdateDimension: { input: Input<IotSdk.UpdateDimensionCommandInput>; output: Output<IotSdk.UpdateDimensionCommandOutput> };
  UpdateDomainConfiguration: {
    input: Input<IotSdk.UpdateDomainConfigurationCommandInput>;
    output: Output<IotSdk.UpdateDomainConfigurationCommandOutput>;
  };
  UpdateDynamicThingGroup: {
    input: Input<IotSdk.UpdateDynamicThingGroupCommandInput>;
    output: Output<IotSdk.UpdateDynamicThingGroupCommandOutput>;
  };
  UpdateEncryptionConfiguration: {
    input: Input<IotSdk.UpdateEncryptionConfigurationCommandInput>;
    output: Output<IotSdk.UpdateEncryptionConfigurationCommandOutput>;
  };
  UpdateEventConfigurations: {
    input: Input<IotSdk.UpdateEventConfigurationsCommandInput>;
    output: Output<IotSdk.UpdateEventConfigurationsCommandOutput>;
  };
  UpdateFleetMetric: {
    input: Input<IotSdk.UpdateFleetMetricCommandInput>;
    output: Output<IotSdk.UpdateFleetMetricCommandOutput>;
  };
  UpdateIndexingConfiguration: {
    input: Input<IotSdk.UpdateIndexingConfigurationCommandInput>;
    output: Output<IotSdk.UpdateIndexingConfigurationCommandOutput>;
  };
  UpdateJob: { input: Input<IotSdk.UpdateJobCommandInput>; output: Output<IotSdk.UpdateJobCommandOutput> };
  UpdateMitigationAction: {
    input: Input<IotSdk.UpdateMitigationActionCommandInput>;
    output: Output<IotSdk.UpdateMitigationActionCommandOutput>;
  };
  UpdatePackage: { input: Input<IotSdk.UpdatePackageCommandInput>; output: Output<IotSdk.UpdatePackageCommandOutput> };
  UpdatePackageConfiguration: {
    input: Input<IotSdk.UpdatePackageConfigurationCommandInput>;
    output: Output<IotSdk.UpdatePackageConfigurationCommandOutput>;
  };
  UpdatePackageVersion: {
    input: Input<IotSdk.UpdatePackageVersionCommandInput>;
    output: Output<IotSdk.UpdatePackageVersionCommandOutput>;
  };
  UpdateProvisioningTemplate: {
    input: Input<IotSdk.UpdateProvisioningTemplateCommandInput>;
    output: Output<IotSdk.UpdateProvisioningTemplateCommandOutput>;
  };
  UpdateRoleAlias: { input: Input<IotSdk.UpdateRoleAliasCommandInput>; output: Output<IotSdk.UpdateRoleAliasCommandOutput> };
  UpdateScheduledAudit: {
    input: Input<IotSdk.UpdateScheduledAuditCommandInput>;
    output: Output<IotSdk.UpdateScheduledAuditCommandOutput>;
  };
  UpdateSecurityProfile: {
    input: Input<IotSdk.UpdateSecurityProfileCommandInput>;
    output: Output<IotSdk.UpdateSecurityProfileCommandOutput>;
  };
  UpdateStream: { input: Input<IotSdk.UpdateStreamCommandInput>; output: Output<IotSdk.UpdateStreamCommandOutput> };
  UpdateThing: { input: Input<IotSdk.UpdateThingCommandInput>; output: Output<IotSdk.UpdateThingCommandOutput> };
  UpdateThingGroup: { input: Input<IotSdk.UpdateThingGroupCommandInput>; output: Output<IotSdk.UpdateThingGroupCommandOutput> };
  UpdateThingGroupsForThing: {
    input: Input<IotSdk.UpdateThingGroupsForThingCommandInput>;
    output: Output<IotSdk.UpdateThingGroupsForThingCommandOutput>;
  };
  UpdateThingType: { input: Input<IotSdk.UpdateThingTypeCommandInput>; output: Output<IotSdk.UpdateThingTypeCommandOutput> };
  UpdateTopicRuleDestination: {
    input: Input<IotSdk.UpdateTopicRuleDestinationCommandInput>;
    output: Output<IotSdk.UpdateTopicRuleDestinationCommandOutput>;
  };
  ValidateSecurityProfileBehaviors: {
    input: Input<IotSdk.ValidateSecurityProfileBehaviorsCommandInput>;
    output: Output<IotSdk.ValidateSecurityProfileBehaviorsCommandOutput>;
  };
}

export interface IotDataOperations {
  DeleteConnection: {
    input: Input<IotDataSdk.DeleteConnectionCommandInput>;
    output: Output<IotDataSdk.DeleteConnectionCommandOutput>;
  };
  DeleteThingShadow: {
    input: Input<IotDataSdk.DeleteThingShadowCommandInput>;
    output: Output<IotDataSdk.DeleteThingShadowCommandOutput>;
  };
  GetConnection: { input: Input<IotDataSdk.GetConnectionCommandInput>; output: Output<IotDataSdk.GetConnectionCommandOutput> };
  GetRetainedMessage: {
    input: Input<IotDataSdk.GetRetainedMessageCommandInput>;
    output: Output<IotDataSdk.GetRetainedMessageCommandOutput>;
  };
  GetThingShadow: { input: Input<IotDataSdk.GetThingShadowCommandInput>; output: Output<IotDataSdk.GetThingShadowCommandOutput> };
  ListNamedShadowsForThing: {
    input: Input<IotDataSdk.ListNamedShadowsForThingCommandInput>;
    output: Output<IotDataSdk.ListNamedShadowsForThingCommandOutput>;
  };
  ListRetainedMessages: {
    input: Input<IotDataSdk.ListRetainedMessagesCommandInput>;
    output: Output<IotDataSdk.ListRetainedMessagesCommandOutput>;
  };
  ListSubscriptions: {
    input: Input<IotDataSdk.ListSubscriptionsCommandInput>;
    output: Output<IotDataSdk.ListSubscriptionsCommandOutput>;
  };
  Publish: { input: Input<IotDataSdk.PublishCommandInput>; output: Output<IotDataSdk.PublishCommandOutput> };
  SendDirectMessage: {
    input: Input<IotDataSdk.SendDirectMessageCommandInput>;
    output: Output<IotDataSdk.SendDirectMessageCommandOutput>;
  };
  UpdateThingShadow: {
    input: Input<IotDataSdk.UpdateThingShadowCommandInput>;
    output: Output<IotDataSdk.UpdateThingShadowCommandOutput>;
  };
}

export interface IotJobsDataOperations {
  DescribeJobExecution: {
    input: Input<IotJobsDataSdk.DescribeJobExecutionCommandInput>;
    output: Output<IotJobsDataSdk.DescribeJobExecutionCommandOutput>;
  };
  GetPendingJobExecutions: {
    input: Input<IotJobsDataSdk.GetPendingJobExecutionsCommandInput>;
    output: Output<IotJobsDataSdk.GetPendingJobExecutionsCommandOutput>;
  };
  StartCommandExecution: {
    input: Input<IotJobsDataSdk.StartCommandExecutionCommandInput>;
    output: Output<IotJobsDataSdk.StartCommandExecutionCommandOutput>;
  };
  StartNextPendingJobExecution: {
    input: Input<IotJobsDataSdk.StartNextPendingJobExecutionCommandInput>;
    output: Output<IotJobsDataSdk.StartNextPendingJobExecutionCommandOutput>;
  };
  UpdateJobExecution: {
    input: Input<IotJobsDataSdk.UpdateJobExecutionCommandInput>;
    output: Output<IotJobsDataSdk.UpdateJobExecutionCommandOutput>;
  };
}

export interface LambdaOperations {
  AddPermission: { input: Input<LambdaSdk.AddPermissionCommandInput>; output: Output<LambdaSdk.AddPermissionCommandOutput> };
  CreateAlias: { input: Input<LambdaSdk.CreateAliasCommandInput>; output: Output<LambdaSdk.CreateAliasCommandOutput> };
  CreateFunction: { input: Input<LambdaSdk.CreateFunctionCommandInput>; output: Output<LambdaSdk.CreateFunctionCommandOutput> };
  DeleteAlias: { input: Input<LambdaSdk.DeleteAliasCommandInput>; output: Output<LambdaSdk.DeleteAliasCommandOutput> };
  DeleteFunction: { input: Input<LambdaSdk.DeleteFunctionCommandInput>; output: Output<LambdaSdk.DeleteFunctionCommandOutput> };
  DeleteFunctionConcurrency: {
    input: Input<LambdaSdk.DeleteFunctionConcurrencyCommandInput>;
    output: Output<LambdaSdk.DeleteFunctionConcurrencyCommandOutput>;
  };
  DeleteFunctionEventInvokeConfig: {
    input: Input<LambdaSdk.DeleteFunctionEventInvokeConfigCommandInput>;
    output: Output<LambdaSdk.DeleteFunctionEventInvokeConfigCommandOutput>;
  };
  GetAccountSettings: {
    input: Input<LambdaSdk.GetAccountSettingsCommandInput>;
    output: Output<LambdaSdk.GetAccountSettingsCommandOutput>;
  };
  GetAlias: { input: Input<LambdaSdk.GetAliasCommandInput>; output: Output<LambdaSdk.GetAliasCommandOutput> };
  GetFunction: { input: Input<LambdaSdk.GetFunctionCommandInput>; output: Output<LambdaSdk.GetFunctionCommandOutput> };
  GetFunctionCodeSigningConfig: {
    input: Input<LambdaSdk.GetFunctionCodeSigningConfigCommandInput>;
    output: Output<LambdaSdk.GetFunctionCodeSigningConfigCommandOutput>;
  };
  GetFunctionConcurrency: {
    input: Input<LambdaSdk.GetFunctionConcurrencyCommandInput>;
    output: Output<LambdaSdk.GetFunctionConcurrencyCommandOutput>;
  };
  GetFunctionConfiguration: {
    input: Input<LambdaSdk.GetFunctionConfigurationCommandInput>;
    output: Output<LambdaSdk.GetFunctionConfigurationCommandOutput>;
  };
  GetFunctionEventInvokeConfig: {
    input: Input<LambdaSdk.GetFunctionEventInvokeConfigCommandInput>;
    output: Output<LambdaSdk.GetFunctionEventInvokeConfigCommandOutput>;
  };
  GetFunctionRecursionConfig: {
    input: Input<LambdaSdk.GetFunctionRecursionConfigCommandInput>;
    output: Output<LambdaSdk.GetFunctionRecursionConfigCommandOutput>;
  };
  GetPolicy: { input: Input<LambdaSdk.GetPolicyCommandInput>; output: Output<LambdaSdk.GetPolicyCommandOutput> };
  GetRuntimeManagementConfig: {
    input: Input<LambdaSdk.GetRuntimeManagementConfigCommandInput>;
    output: Output<LambdaSdk.GetRuntimeManagementConfigCommandOutput>;
  };
  Invoke: { input: Input<LambdaSdk.InvokeCommandInput>; output: Output<LambdaSdk.InvokeCommandOutput> };
  ListAliases: { input: Input<LambdaSdk.ListAliasesCommandInput>; output: Output<LambdaSdk.ListAliasesCommandOutput> };
  ListFunctionEventInvokeConfigs: {
    input: Input<LambdaSdk.ListFunctionEventInvokeConfigsCommandInput>;
    output: Output<LambdaSdk.ListFunctionEventInvokeConfigsCommandOutput>;
  };
  ListFunctions: { input: Input<LambdaSdk.ListFunctionsCommandInput>; output: Output<LambdaSdk.ListFunctionsCommandOutput> };
  ListTags: { input: Input<LambdaSdk.ListTagsCommandInput>; output: Output<LambdaSdk.ListTagsCommandOutput> };
  ListVersionsByFunction: {
    input: Input<LambdaSdk.ListVersionsByFunctionCommandInput>;
    output: Output<LambdaSdk.ListVersionsByFunctionCommandOutput>;
  };
  PublishVersion: { input: Input<LambdaSdk.PublishVersionCommandInput>; output: Output<LambdaSdk.PublishVersionCommandOutput> };
  PutFunctionConcurrency: {
    input: Input<LambdaSdk.PutFunctionConcurrencyCommandInput>;
    output: Output<LambdaSdk.PutFunctionConcurrencyCommandOutput>;
  };
  PutFunctionEventInvokeConfig: {
    input: Input<LambdaSdk.PutFunctionEventInvokeConfigCommandInput>;
    output: Output<LambdaSdk.PutFunctionEventInvokeConfigCommandOutput>;
  };
  RemovePermission: {
    input: Input<LambdaSdk.RemovePermissionCommandInput>;
    output: Output<LambdaSdk.RemovePermissionCommandOutput>;
  };
  TagResource: { input: Input<LambdaSdk.TagResourceCommandInput>; output: Output<LambdaSdk.TagResourceCommandOutput> };
  UntagResource: { input: Input<LambdaSdk.UntagResourceCommandInput>; output: Output<LambdaSdk.UntagResourceCommandOutput> };
  UpdateAlias: { input: Input<LambdaSdk.UpdateAliasCommandInput>; output: Output<LambdaSdk.UpdateAliasCommandOutput> };
  UpdateFunctionCode: {
    input: Input<LambdaSdk.UpdateFunctionCodeCommandInput>;
    output: Output<LambdaSdk.UpdateFunctionCodeCommandOutput>;
  };
  UpdateFunctionConfiguration: {
    input: Input<LambdaSdk.UpdateFunctionConfigurationCommandInput>;
    output: Output<LambdaSdk.UpdateFunctionConfigurationCommandOutput>;
  };
  UpdateFunctionEventInvokeConfig: {
    input: Input<LambdaSdk.UpdateFunctionEventInvokeConfigCommandInput>;
    output: Output<LambdaSdk.UpdateFunctionEventInvokeConfigCommandOutput>;
  };
}

export interface IamOperations {
  AddUserToGroup: { input: Input<IamSdk.AddUserToGroupCommandInput>; output: Output<IamSdk.AddUserToGroupCommandOutput> };
  AttachGroupPolicy: {
    input: Input<IamSdk.AttachGroupPolicyCommandInput>;
    output: Output<IamSdk.AttachGroupPolicyCommandOutput>;
  };
  AttachRolePolicy: { input: Input<IamSdk.AttachRolePolicyCommandInput>; output: Output<IamSdk.AttachRolePolicyCommandOutput> };
  AttachUserPolicy: { input: Input<IamSdk.AttachUserPolicyCommandInput>; output: Output<IamSdk.AttachUserPolicyCommandOutput> };
  ChangePassword: { input: Input<IamSdk.ChangePasswordCommandInput>; output: Output<IamSdk.ChangePasswordCommandOutput> };
  CreateAccessKey: { input: Input<IamSdk.CreateAccessKeyCommandInput>; output: Output<IamSdk.CreateAccessKeyCommandOutput> };
  CreateGroup: { input: Input<IamSdk.CreateGroupCommandInput>; output: Output<IamSdk.CreateGroupCommandOutput> };
  CreateLoginProfile: {
    input: Input<IamSdk.CreateLoginProfileCommandInput>;
    output: Output<IamSdk.CreateLoginProfileCommandOutput>;
  };
  CreatePolicy: { input: Input<IamSdk.CreatePolicyCommandInput>; output: Output<IamSdk.CreatePolicyCommandOutput> };
  CreatePolicyVersion: {
    input: Input<IamSdk.CreatePolicyVersionCommandInput>;
    output: Output<IamSdk.CreatePolicyVersionCommandOutput>;
  };
  CreateRole: { input: Input<IamSdk.CreateRoleCommandInput>; output: Output<IamSdk.CreateRoleCommandOutput> };
  CreateUser: { input: Input<IamSdk.CreateUserCommandInput>; output: Output<IamSdk.CreateUserCommandOutput> };
  DeleteAccessKey: { input: Input<IamSdk.DeleteAccessKeyCommandInput>; output: Output<IamSdk.DeleteAccessKeyCommandOutput> };
  DeleteGroup: { input: Input<IamSdk.DeleteGroupCommandInput>; output: Output<IamSdk.DeleteGroupCommandOutput> };
  DeleteGroupPolicy: {
    input: Input<IamSdk.DeleteGroupPolicyCommandInput>;
    output: Output<IamSdk.DeleteGroupPolicyCommandOutput>;
  };
  DeleteLoginProfile: {
    input: Input<IamSdk.DeleteLoginProfileCommandInput>;
    output: Output<IamSdk.DeleteLoginProfileCommandOutput>;
  };
  DeletePolicy: { input: Input<IamSdk.DeletePolicyCommandInput>; output: Output<IamSdk.DeletePolicyCommandOutput> };
  DeletePolicyVersion: {
    input: Input<IamSdk.DeletePolicyVersionCommandInput>;
    output: Output<IamSdk.DeletePolicyVersionCommandOutput>;
  };
  DeleteRole: { input: Input<IamSdk.DeleteRoleCommandInput>; output: Output<IamSdk.DeleteRoleCommandOutput> };
  DeleteRolePermissionsBoundary: {
    input: Input<IamSdk.DeleteRolePermissionsBoundaryCommandInput>;
    output: Output<IamSdk.DeleteRolePermissionsBoundaryCommandOutput>;
  };
  DeleteRolePolicy: { input: Input<IamSdk.DeleteRolePolicyCommandInput>; output: Output<IamSdk.DeleteRolePolicyCommandOutput> };
  DeleteUser: { input: Input<IamSdk.DeleteUserCommandInput>; output: Output<IamSdk.DeleteUserCommandOutput> };
  DeleteUserPermissionsBoundary: {
    input: Input<IamSdk.DeleteUserPermissionsBoundaryCommandInput>;
    output: Output<IamSdk.DeleteUserPermissionsBoundaryCommandOutput>;
  };
  DeleteUserPolicy: { input: Input<IamSdk.DeleteUserPolicyCommandInput>; output: Output<IamSdk.DeleteUserPolicyCommandOutput> };
  DetachGroupPolicy: {
    input: Input<IamSdk.DetachGroupPolicyCommandInput>;
    output: Output<IamSdk.DetachGroupPolicyCommandOutput>;
  };
  DetachRolePolicy: { input: Input<IamSdk.DetachRolePolicyCommandInput>; output: Output<IamSdk.DetachRolePolicyCommandOutput> };
  DetachUserPolicy: { input: Input<IamSdk.DetachUserPolicyCommandInput>; output: Output<IamSdk.DetachUserPolicyCommandOutput> };
  GetAccessKeyLastUsed: {
    input: Input<IamSdk.GetAccessKeyLastUsedCommandInput>;
    output: Output<IamSdk.GetAccessKeyLastUsedCommandOutput>;
  };
  GetAccountSummary: {
    input: Input<IamSdk.GetAccountSummaryCommandInput>;
    output: Output<IamSdk.GetAccountSummaryCommandOutput>;
  };
  GetGroup: { input: Input<IamSdk.GetGroupCommandInput>; output: Output<IamSdk.GetGroupCommandOutput> };
  GetGroupPolicy: { input: Input<IamSdk.GetGroupPolicyCommandInput>; output: Output<IamSdk.GetGroupPolicyCommandOutput> };
  GetLoginProfile: { input: Input<IamSdk.GetLoginProfileCommandInput>; output: Output<IamSdk.GetLoginProfileCommandOutput> };
  GetPolicy: { input: Input<IamSdk.GetPolicyCommandInput>; output: Output<IamSdk.GetPolicyCommandOutput> };
  GetPolicyVersion: { input: Input<IamSdk.GetPolicyVersionCommandInput>; output: Output<IamSdk.GetPolicyVersionCommandOutput> };
  GetRole: { input: Input<IamSdk.GetRoleCommandInput>; output: Output<IamSdk.GetRoleCommandOutput> };
  GetRolePolicy: { input: Input<IamSdk.GetRolePolicyCommandInput>; output: Output<IamSdk.GetRolePolicyCommandOutput> };
  GetUser: { input: Input<IamSdk.GetUserCommandInput>; output: Output<IamSdk.GetUserCommandOutput> };
  GetUserPolicy: { input: Input<IamSdk.GetUserPolicyCommandInput>; output: Output<IamSdk.GetUserPolicyCommandOutput> };
  ListAccessKeys: { input: Input<IamSdk.ListAccessKeysCommandInput>; output: Output<IamSdk.ListAccessKeysCommandOutput> };
  ListAccountAliases: {
    input: Input<IamSdk.ListAccountAliasesCommandInput>;
    output: Output<IamSdk.ListAccountAliasesCommandOutput>;
  };
  ListAttachedGroupPolicies: {
    input: Input<IamSdk.ListAttachedGroupPoliciesCommandInput>;
    output: Output<IamSdk.ListAttachedGroupPoliciesCommandOutput>;
  };
  ListAttachedRolePolicies: {
    input: Input<IamSdk.ListAttachedRolePoliciesCommandInput>;
    output: Output<IamSdk.ListAttachedRolePoliciesCommandOutput>;
  };
  ListAttachedUserPolicies: {
    input: Input<IamSdk.ListAttachedUserPoliciesCommandInput>;
    output: Output<IamSdk.ListAttachedUserPoliciesCommandOutput>;
  };
  ListEntitiesForPolicy: {
    input: Input<IamSdk.ListEntitiesForPolicyCommandInput>;
    output: Output<IamSdk.ListEntitiesForPolicyCommandOutput>;
  };
  ListGroupPolicies: {
    input: Input<IamSdk.ListGroupPoliciesCommandInput>;
    output: Output<IamSdk.ListGroupPoliciesCommandOutput>;
  };
  ListGroups: { input: Input<IamSdk.ListGroupsCommandInput>; output: Output<IamSdk.ListGroupsCommandOutput> };
  ListGroupsForUser: {
    input: Input<IamSdk.ListGroupsForUserCommandInput>;
    output: Output<IamSdk.ListGroupsForUserCommandOutput>;
  };
  ListInstanceProfilesForRole: {
    input: Input<IamSdk.ListInstanceProfilesForRoleCommandInput>;
    output: Output<IamSdk.ListInstanceProfilesForRoleCommandOutput>;
  };
  ListMFADevices: { input: Input<IamSdk.ListMFADevicesCommandInput>; output: Output<IamSdk.ListMFADevicesCommandOutput> };
  ListPolicies: { input: Input<IamSdk.ListPoliciesCommandInput>; output: Output<IamSdk.ListPoliciesCommandOutput> };
  ListPolicyTags: { input: Input<IamSdk.ListPolicyTagsCommandInput>; output: Output<IamSdk.ListPolicyTagsCommandOutput> };
  ListPolicyVersions: {
    input: Input<IamSdk.ListPolicyVersionsCommandInput>;
    output: Output<IamSdk.ListPolicyVersionsCommandOutput>;
  };
  ListRolePolicies: { input: Input<IamSdk.ListRolePoliciesCommandInput>; output: Output<IamSdk.ListRolePoliciesCommandOutput> };
  ListRoleTags: { input: Input<IamSdk.ListRoleTagsCommandInput>; output: Output<IamSdk.ListRoleTagsCommandOutput> };
  ListRoles: { input: Input<IamSdk.ListRolesCommandInput>; output: Output<IamSdk.ListRolesCommandOutput> };
  ListSSHPublicKeys: {
    input: Input<IamSdk.ListSSHPublicKeysCommandInput>;
    output: Output<IamSdk.ListSSHPublicKeysCommandOutput>;
  };
  ListServiceSpecificCredentials: {
    input: Input<IamSdk.ListServiceSpecificCredentialsCommandInput>;
    output: Output<IamSdk.ListServiceSpecificCredentialsCommandOutput>;
  };
  ListSigningCertificates: {
    input: Input<IamSdk.ListSigningCertificatesCommandInput>;
    output: Output<IamSdk.ListSigningCertificatesCommandOutput>;
  };
  ListUserPolicies: { input: Input<IamSdk.ListUserPoliciesCommandInput>; output: Output<IamSdk.ListUserPoliciesCommandOutput> };
  ListUserTags: { input: Input<IamSdk.ListUserTagsCommandInput>; output: Output<IamSdk.ListUserTagsCommandOutput> };
  ListUsers: { input: Input<IamSdk.ListUsersCommandInput>; output: Output<IamSdk.ListUsersCommandOutput> };
  ListVirtualMFADevices: {
    input: Input<IamSdk.ListVirtualMFADevicesCommandInput>;
    output: Output<IamSdk.ListVirtualMFADevicesCommandOutput>;
  };
  PutGroupPolicy: { input: Input<IamSdk.PutGroupPolicyCommandInput>; output: Output<IamSdk.PutGroupPolicyCommandOutput> };
  PutRolePermissionsBoundary: {
    input: Input<IamSdk.PutRolePermissionsBoundaryCommandInput>;
    output: Output<IamSdk.PutRolePermissionsBoundaryCommandOutput>;
  };
  PutRolePolicy: { input: Input<IamSdk.PutRolePolicyCommandInput>; output: Output<IamSdk.PutRolePolicyCommandOutput> };
  PutUserPermissionsBoundary: {
    input: Input<IamSdk.PutUserPermissionsBoundaryCommandInput>;
    output: Output<IamSdk.PutUserPermissionsBoundaryCommandOutput>;
  };
  PutUserPolicy: { input: Input<IamSdk.PutUserPolicyCommandInput>; output: Output<IamSdk.PutUserPolicyCommandOutput> };
  RemoveUserFromGroup: {
    input: Input<IamSdk.RemoveUserFromGroupCommandInput>;
    output: Output<IamSdk.RemoveUserFromGroupCommandOutput>;
  };
  SetDefaultPolicyVersion: {
    input: Input<IamSdk.SetDefaultPolicyVersionCommandInput>;
    output: Output<IamSdk.SetDefaultPolicyVersionCommandOutput>;
  };
  SimulatePrincipalPolicy: {
    input: Input<IamSdk.SimulatePrincipalPolicyCommandInput>;
    output: Output<IamSdk.SimulatePrincipalPolicyCommandOutput>;
  };
  TagPolicy: { input: Input<IamSdk.TagPolicyCommandInput>; output: Output<IamSdk.TagPolicyCommandOutput> };
  TagRole: { input: Input<IamSdk.TagRoleCommandInput>; output: Output<IamSdk.TagRoleCommandOutput> };
  TagUser: { input: Input<IamSdk.TagUserCommandInput>; output: Output<IamSdk.TagUserCommandOutput> };
  UntagPolicy: { input: Input<IamSdk.UntagPolicyCommandInput>; output: Output<IamSdk.UntagPolicyCommandOutput> };
  UntagRole: { input: Input<IamSdk.UntagRoleCommandInput>; output: Output<IamSdk.UntagRoleCommandOutput> };
  UntagUser: { input: Input<IamSdk.UntagUserCommandInput>; output: Output<IamSdk.UntagUserCommandOutput> };
  UpdateAccessKey: { input: Input<IamSdk.UpdateAccessKeyCommandInput>; output: Output<IamSdk.UpdateAccessKeyCommandOutput> };
  UpdateAssumeRolePolicy: {
    input: Input<IamSdk.UpdateAssumeRolePolicyCommandInput>;
    output: Output<IamSdk.UpdateAssumeRolePolicyCommandOutput>;
  };
  UpdateGroup: { input: Input<IamSdk.UpdateGroupCommandInput>; output: Output<IamSdk.UpdateGroupCommandOutput> };
  UpdateLoginProfile: {
    input: Input<IamSdk.UpdateLoginProfileCommandInput>;
    output: Output<IamSdk.UpdateLoginProfileCommandOutput>;
  };
  UpdateRole: { input: Input<IamSdk.UpdateRoleCommandInput>; output: Output<IamSdk.UpdateRoleCommandOutput> };
  UpdateRoleDescription: {
    input: Input<IamSdk.UpdateRoleDescriptionCommandInput>;
    output: Output<IamSdk.UpdateRoleDescriptionCommandOutput>;
  };
  UpdateUser: { input: Input<IamSdk.UpdateUserCommandInput>; output: Output<IamSdk.UpdateUserCommandOutput> };
}

export interface StsOperations {
  AssumeRole: { input: Input<StsSdk.AssumeRoleCommandInput>; output: Output<StsSdk.AssumeRoleCommandOutput> };
  GetAccessKeyInfo: { input: Input<StsSdk.GetAccessKeyInfoCommandInput>; output: Output<StsSdk.GetAccessKeyInfoCommandOutput> };
  GetCallerIdentity: {
    input: Input<StsSdk.GetCallerIdentityCommandInput>;
    output: Output<StsSdk.GetCallerIdentityCommandOutput>;
  };
  GetSessionToken: { input: Input<StsSdk.GetSessionTokenCommandInput>; output: Output<StsSdk.GetSessionTokenCommandOutput> };
}
