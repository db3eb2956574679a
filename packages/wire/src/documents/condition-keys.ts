/**
 * Condition keys that are known here: those that requests have, and those that AWS too leaves out for the services that are
 * spoken here. A Deny by a key of these services that is in neither list would deny nothing, and so is refused.
 * Source: IAM user guide, page reference_policies_condition-keys; Service Authorization Reference, pages list_iot, list_lambda,
 * list_iam, list_sts, list_acm, list_logs; AWS IoT developer guide, page iot-policy-variables and those below it.
 */

/** Whether a Deny may ask for the key, whatever its upper and lower case. */
export type KnowsKey = (key: string) => boolean;

/** A name that ends with `/` or `.` stands for all that begin with it. */
const keys = (...names: readonly string[]): KnowsKey => {
  const folded = names.map((name) => name.toLowerCase());
  const exact = new Set(folded.filter((name) => !/[/.]$/.test(name)));
  const prefixes = folded.filter((name) => /[/.]$/.test(name));
  return (key) => exact.has(key) || prefixes.some((prefix) => key.startsWith(prefix) && key.length > prefix.length);
};

/** Of the request and of who makes it, and of the services that are spoken here. */
export const FILLED: readonly string[] = [
  ...['aws:CurrentTime', 'aws:EpochTime', 'aws:SecureTransport', 'aws:SourceIp', 'aws:UserAgent', 'aws:Referer'],
  ...['aws:RequestedRegion', 'aws:ViaAWSService', 'aws:ResourceAccount', 'aws:ResourceTag/', 'aws:RequestTag/', 'aws:TagKeys'],
  ...['aws:PrincipalArn', 'aws:PrincipalAccount', 'aws:PrincipalType', 'aws:PrincipalTag/', 'aws:PrincipalIsAWSService'],
  ...['aws:userid', 'aws:username', 'aws:TokenIssueTime', 'aws:MultiFactorAuthPresent', 'lambda:SourceFunctionArn'],
  ...['iam:PassedToService', 'iam:AssociatedResourceArn', 'iam:PolicyARN', 'iam:PermissionsBoundary', 'iam:ResourceTag/'],
  ...['sts:RoleSessionName', 'sts:ExternalId', 'aws:SourceAccount', 'aws:SourceArn'],
  ...['aws:PrincipalServiceName', 'aws:PrincipalServiceNamesList'],
  ...['credentials-iot:ThingName', 'credentials-iot:ThingTypeName', 'credentials-iot:AwsCertificateId'],
  ...[
    'iot:ClientId',
    'iot:DomainName',
    'iot:LastWillTopic',
    'iot:ConnectAttributes',
    'iot:IncludeSocketInformation',
    'iot:JobId',
  ],
  ...['lambda:FunctionUrlAuthType', 'lambda:Principal', 'lambda:EventSourceToken', 'lambda:Layer'],
  ...['lambda:InvokedViaFunctionUrl', 'lambda:CodeSigningConfigArn', 'lambda:SubnetIds', 'lambda:SecurityGroupIds'],
  'ec2:Region',
];
const filled = keys(...FILLED);

/**
 * What AWS fills for other ways of coming in (federation, VPC endpoints, organizations, MFA devices, calls on behalf), or for
 * operations that are not served here: absent there as here.
 */
const absent = keys(
  ...['aws:PrincipalOrgID', 'aws:PrincipalOrgPaths', 'aws:SourceOwner'],
  ...['aws:ResourceOrgID', 'aws:ResourceOrgPaths', 'aws:SourceOrgID', 'aws:SourceOrgPaths'],
  ...['aws:AssumedRoot', 'aws:FederatedProvider', 'aws:SignInSessionArn', 'aws:MultiFactorAuthAge', 'aws:ChatbotSourceArn'],
  ...['aws:Ec2InstanceSourceVpc', 'aws:Ec2InstanceSourcePrivateIPv4', 'aws:SourceIdentity', 'aws:BearerToken'],
  ...['aws:SourceVpc', 'aws:SourceVpcArn', 'aws:SourceVpce', 'aws:VpceAccount', 'aws:VpceOrgID', 'aws:VpceOrgPaths'],
  ...['aws:VpcSourceIp', 'aws:CalledVia', 'aws:CalledViaFirst', 'aws:CalledViaLast', 'aws:CalledViaAWSMCP'],
  ...['aws:ViaAWSMCPService', 'aws:IsMcpServiceAction', 'aws:AccountAccess', 'aws:RequestOrigin'],
  ...['iam:AWSServiceName', 'iam:OrganizationsPolicyId', 'iam:RegisterSecurityKey', 'iam:FIDO-certification'],
  ...['iam:FIDO-FIPS-140-2-certification', 'iam:FIDO-FIPS-140-3-certification', 'iam:ServiceSpecificCredentialAgeDays'],
  ...[
    'iam:ServiceSpecificCredentialServiceName',
    'iam:DelegationDuration',
    'iam:DelegationRequestOwner',
    'iam:NotificationChannel',
  ],
  ...['iam:TemplateArn', 'sts:SourceIdentity', 'sts:TransitiveTagKeys', 'sts:AWSServiceName', 'sts:TaskPolicyArn'],
  ...['sts:DurationSeconds', 'sts:IdentityTokenAudience', 'sts:RequestContext/', 'sts:RequestContextProviders'],
  ...['sts:SigningAlgorithm', 'iot:ClientMode', 'iot:Delete', 'iot:ThingGroupArn', 'iot:TunnelDestinationService'],
  ...[
    'lambda:FunctionArn',
    'lambda:VpcIds',
    'acm:CertificateAuthority',
    'acm:CertificateTransparencyLogging',
    'acm:DomainNames',
    'acm:Export',
  ],
  ...['acm:KeyAlgorithm', 'acm:ValidationMethod', 'logs:LogGeneratingResourceArns', 'logs:DeliveryDestinationResourceArn'],
  ...['logs:DestinationArn', 'logs:FieldIndexName', 'ec2:RoleDelivery', 'ec2:SourceInstanceArn'],
);

/** Of devices: what policies of AWS IoT may ask. */
const ofDevices = keys(
  ...['aws:CurrentTime', 'aws:EpochTime', 'aws:SecureTransport', 'aws:SourceIp'],
  ...['iot:ClientId', 'iot:DomainName', 'iot:LastWillTopic', 'iot:ConnectAttributes', 'iot:Certificate.AvailableKeys'],
  ...['iot:Connection.Thing.IsAttached', 'iot:Connection.Thing.ThingName', 'iot:Connection.Thing.ThingTypeName'],
  ...['iot:Certificate.SerialNumber', 'iot:Certificate.Subject.', 'iot:Certificate.Issuer.'],
);

/** Devices are no IAM identities: AWS knows none of this about them. */
const absentForDevices = keys(
  ...['aws:TokenIssueTime', 'aws:MultiFactorAuthPresent', 'aws:PrincipalTag/', 'aws:userid', 'aws:username'],
  ...['aws:ResourceTag/', 'aws:RequestTag/', 'aws:TagKeys', 'aws:SourceArn', 'aws:SourceAccount', 'lambda:SourceFunctionArn'],
);

const ATTRIBUTE = /^iot:connection\.thing\.attributes\[[^\]]+\]$/;
const serviceOf = (key: string): string => key.slice(0, Math.max(0, key.indexOf(':')));

/** Services whose keys all have to be in the lists; what others fill is for others. */
const HERE = new Set(['aws', 'iot', 'iotjobsdata', 'iam', 'sts', 'lambda', 'acm', 'logs', 'credentials-iot', '']);

export const knowsKeyOfIdentities: KnowsKey = (name) => {
  const key = name.toLowerCase();
  if (filled(key) || absent(key)) return true;
  // Thing variables are for devices: AWS leaves them out for IAM identities (page thing-policy-variables).
  return !HERE.has(serviceOf(key)) || key.startsWith('iot:connection.thing.') || key.startsWith('iot:certificate.');
};

export const knowsKeyOfDevices: KnowsKey = (name) => {
  const key = name.toLowerCase();
  if (ofDevices(key) || ATTRIBUTE.test(key) || absent(key) || absentForDevices(key)) return true;
  return !HERE.has(serviceOf(key));
};
