/** Probes of IAM. */
import { ACCOUNT, accepts, type Answer, JAPANESE, type Probe, refuses } from './probe.ts';

const MALFORMED = 'MalformedPolicyDocument';
const SYNTAX = 'Syntax errors in policy.';
const LEGACY = 'The policy failed legacy parsing';

const statement = { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' };
const documentOf = (part: object | readonly object[], rest: object = {}): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: part, ...rest });
const inline = (document: string) => ({ RoleName: 'probe', PolicyName: 'p', PolicyDocument: document });

const put = (part: object): Answer => accepts('PutRolePolicy', inline(documentOf({ ...statement, ...part })));
const putRefused = (part: object, message: string): Answer =>
  refuses('PutRolePolicy', inline(documentOf({ ...statement, ...part })), MALFORMED, message);
const documentRefused = (document: string, message: string): Answer =>
  refuses('PutRolePolicy', inline(document), MALFORMED, message);
const condition = (operator: string, key: string, value: unknown) => ({ Condition: { [operator]: { [key]: value } } });

/** Values of a condition that are taken, and others. */
const values = (operator: string, key: string, good: readonly unknown[], bad: readonly unknown[], message = LEGACY): Answer[] => [
  ...good.map((value) => put(condition(operator, key, value))),
  ...bad.map((value) => putRefused(condition(operator, key, value), message)),
];

const trusted = { Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' };
const trustInput = (part: object) => ({ RoleName: 'probe', PolicyDocument: documentOf({ ...trusted, ...part }) });
const trust = (part: object): Answer => accepts('UpdateAssumeRolePolicy', trustInput(part));
const trustRefused = (part: object, message: string): Answer =>
  refuses('UpdateAssumeRolePolicy', trustInput(part), MALFORMED, message);
const principal = (kind: string, value: string): Answer =>
  trustRefused({ Principal: { [kind]: value } }, `Invalid principal in policy: "${kind.toUpperCase()}":"${value}"`);

const TRUST = documentOf(trusted);
const BAD_NAME = (member: string): string =>
  `The specified value for ${member} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`;
const plain = documentOf(statement);
/** A document of this many characters. */
const sized = (length: number): string => {
  const base = documentOf({ ...statement, Resource: 'arn:aws:s3:::' }).length;
  return documentOf({ ...statement, Resource: `arn:aws:s3:::${'x'.repeat(length - base)}` });
};
const { Action: _action, ...noAction } = statement;
const { Effect: _effect, ...noEffect } = statement;
const { Resource: _resource, ...noResource } = statement;

/** Attaches policies of AWS's, one more than the quota, then detaches them. */
const attached = (kind: 'Role' | 'User' | 'Group', most: number): Answer[] => [
  ...Array.from({ length: most }, (_, i) =>
    accepts(`Attach${kind}Policy`, { [`${kind}Name`]: 'probe', PolicyArn: `arn:aws:iam::${ACCOUNT}:policy/many${i}` }),
  ),
  refuses(
    `Attach${kind}Policy`,
    { [`${kind}Name`]: 'probe', PolicyArn: `arn:aws:iam::${ACCOUNT}:policy/many${most}` },
    'LimitExceeded',
    `Cannot exceed quota for PoliciesPer${kind}: ${most}`,
  ),
];

export const IAM: readonly Probe[] = [
  {
    name: 'pf-iam-identity-policy-no-principal',
    answers: [
      putRefused({ Principal: '*' }, 'Policy document should not specify a principal.'),
      putRefused({ NotPrincipal: { AWS: ACCOUNT } }, 'Policy document should not specify a principal.'),
    ],
  },
  {
    name: 'pf-iam-inline-policy-size',
    answers: [
      refuses(
        'PutUserPolicy',
        { UserName: 'probe', PolicyName: 'p', PolicyDocument: sized(2049) },
        'LimitExceeded',
        'Maximum policy size of 2048 bytes exceeded for user',
      ),
    ],
  },
  {
    name: 'pf-iam-managed-policy-count',
    answers: [
      ...Array.from({ length: 21 }, (_, i) => accepts('CreatePolicy', { PolicyName: `many${i}`, PolicyDocument: plain })),
      ...attached('Role', 20),
      ...attached('User', 10),
      ...attached('Group', 10),
    ],
  },
  {
    name: 'pf-iam-managed-policy-size',
    answers: [
      refuses(
        'CreatePolicy',
        { PolicyName: 'large', PolicyDocument: sized(6145) },
        'LimitExceeded',
        'Cannot exceed quota for PolicySize: 6144',
      ),
      accepts('CreatePolicy', { PolicyName: 'large', PolicyDocument: sized(6144) }),
    ],
  },
  {
    name: 'pf-iam-name-format',
    answers: [
      refuses('CreateRole', { RoleName: JAPANESE, AssumeRolePolicyDocument: TRUST }, 'ValidationError', BAD_NAME('roleName')),
      refuses('CreateUser', { UserName: JAPANESE }, 'ValidationError', BAD_NAME('userName')),
      refuses('CreatePolicy', { PolicyName: JAPANESE, PolicyDocument: plain }, 'ValidationError', BAD_NAME('policyName')),
      refuses('PutRolePolicy', { ...inline(plain), PolicyName: JAPANESE }, 'ValidationError', BAD_NAME('policyName')),
    ],
  },
  {
    name: 'pf-iam-path-service-role-reserved',
    answers: [
      refuses(
        'CreateRole',
        { RoleName: 'own', Path: '/aws-service-role/', AssumeRolePolicyDocument: TRUST },
        'InvalidInput',
        "Paths beginning with '/aws-service-role' are reserved for AWS Service Linked Roles",
      ),
    ],
  },
  {
    name: 'pf-iam-permissions-boundary-policy-arn',
    answers: [
      refuses(
        'CreateRole',
        {
          RoleName: 'bound',
          AssumeRolePolicyDocument: TRUST,
          PermissionsBoundary: `arn:aws:iam::${ACCOUNT}:role/probe`,
        },
        'InvalidInput',
        `ARN arn:aws:iam::${ACCOUNT}:role/probe is not valid.`,
      ),
      accepts('CreateRole', {
        RoleName: 'bound',
        AssumeRolePolicyDocument: TRUST,
        PermissionsBoundary: 'arn:aws:iam::aws:policy/ReadOnlyAccess',
      }),
    ],
  },
  {
    name: 'pf-iam-policy-action-format',
    answers: [putRefused({ Action: 'GetObject' }, 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.')],
  },
  {
    name: 'pf-iam-policy-action-required',
    answers: [
      documentRefused(documentOf(noAction), 'Policy statement must contain actions.'),
      putRefused({ Action: [] }, 'Policy statement must contain actions.'),
    ],
  },
  {
    name: 'pf-iam-policy-action-single-colon',
    answers: [putRefused({ Action: 's3:Get:Object' }, 'Actions/Condition can contain only one colon.')],
  },
  {
    name: 'pf-iam-policy-action-vendor-wildcard',
    answers: [
      ...['*:GetObject', 's3*:GetObject', 's3?:Get'].map((Action) =>
        putRefused({ Action }, 'Action vendors (e.g., aws, ec2, etc.) must not contain wildcards.'),
      ),
      ...['s3:Get*', 's3:*', '*'].map((Action) => put({ Action })),
    ],
  },
  {
    name: 'pf-iam-policy-arn-partition',
    answers: [
      refuses(
        'AttachRolePolicy',
        { RoleName: 'probe', PolicyArn: 'arn:aws-cn:iam::aws:policy/ReadOnlyAccess' },
        'ValidationError',
        'Invalid ARN partition',
      ),
      refuses(
        'CreateRole',
        {
          RoleName: 'cn',
          AssumeRolePolicyDocument: TRUST,
          PermissionsBoundary: 'arn:aws-cn:iam::aws:policy/ReadOnlyAccess',
        },
        'ValidationError',
        'Invalid ARN partition',
      ),
    ],
  },
  {
    name: 'pf-iam-policy-condition-arn-value',
    answers: values(
      'ArnLike',
      'aws:SourceArn',
      ['arn:*:s3:::b', 'arn:aws:*:*:*:*', '*'],
      ['nope', 'arn:aws:s3:b', '${aws:PrincipalArn}'],
    ),
  },
  {
    name: 'pf-iam-policy-condition-binary-value',
    answers: values('BinaryEquals', 's3:x-amz-meta-x', ['YWJj', 'YWJjZA=='], ['!!!', 'abc', 'YWJj=='], SYNTAX.slice(0, -1)),
  },
  {
    name: 'pf-iam-policy-condition-date-value',
    answers: values(
      'DateGreaterThan',
      'aws:CurrentTime',
      [
        '2026',
        '2026-01',
        '2026-01-01',
        '2026-01-01T00:00Z',
        '2026-01-01T00:00:00.000Z',
        '2026-01-01T00:00:00+09:00',
        '1767225600',
      ],
      ['tomorrow', '2026/01/01', '2026-13-45', 'Thu, 01 Jan 2026 00:00:00 GMT'],
    ),
  },
  {
    name: 'pf-iam-policy-condition-ip-value',
    answers: values(
      'IpAddress',
      'aws:SourceIp',
      ['203.0.113.0/24', '203.0.113.5', '0.0.0.0/0', '2001:db8::/32', '2001:db8::1', '::/0'],
      ['203.0.113.999/24', 'example.com', '1.2.3', '10.0.0.0/33', '10.0.0.0/8 '],
    ),
  },
  {
    name: 'pf-iam-policy-condition-null-ifexists',
    answers: [
      putRefused(condition('NullIfExists', 'aws:TokenIssueTime', 'true'), SYNTAX),
      put(condition('Null', 'aws:TokenIssueTime', 'true')),
      put(condition('ForAllValues:Null', 'aws:TokenIssueTime', 'true')),
    ],
  },
  {
    name: 'pf-iam-policy-condition-numeric-value',
    answers: values('NumericLessThan', 's3:max-keys', ['10', 10, '10.5', '-1', '1e3'], ['abc', ' 10', '0x10']),
  },
  {
    name: 'pf-iam-policy-condition-operator',
    answers: [putRefused(condition('StringEqualz', 'aws:username', 'u'), SYNTAX)],
  },
  {
    name: 'pf-iam-policy-condition-value-type',
    answers: values('StringEquals', 'aws:username', ['u'], [{ a: 'b' }, [{ a: 'b' }]], SYNTAX),
  },
  {
    name: 'pf-iam-policy-duplicate-sid',
    answers: [
      documentRefused(
        documentOf([
          { ...statement, Sid: 'Dup' },
          { ...statement, Sid: 'Dup' },
        ]),
        'Statement IDs (SID) in a single policy must be unique.',
      ),
    ],
  },
  { name: 'pf-iam-policy-effect-case', answers: [putRefused({ Effect: 'allow' }, LEGACY)] },
  { name: 'pf-iam-policy-effect-required', answers: [documentRefused(documentOf(noEffect), SYNTAX)] },
  {
    name: 'pf-iam-policy-exclusive-fields',
    answers: [putRefused({ NotAction: 's3:*' }, SYNTAX), putRefused({ NotResource: '*' }, SYNTAX)],
  },
  {
    name: 'pf-iam-policy-resource-arn-segments',
    answers: [
      putRefused({ Resource: 'arn:aws:s3:b' }, LEGACY),
      putRefused(
        { Resource: 'arn:aws:s3:my-bucket:*:*' },
        'Resource arn:aws:s3:my-bucket:*:* can not contain region information.',
      ),
    ],
  },
  {
    name: 'pf-iam-policy-resource-format',
    answers: [putRefused({ Resource: 'my-bucket' }, 'Resource my-bucket must be in ARN format or "*".')],
  },
  {
    name: 'pf-iam-policy-resource-global-service-arn',
    answers: [
      ...['arn:aws:s3:us-east-1::b', 'arn:aws:iam:us-east-1:111122223333:role/r', 'arn:aws:route53:us-east-1::hostedzone/z'].map(
        (Resource) => putRefused({ Resource }, `Resource ${Resource} can not contain region information.`),
      ),
      putRefused({ Resource: 'arn:aws:s3::111122223333:b' }, 'Resource arn:aws:s3::111122223333:b cannot contain an account id.'),
      put({ Resource: 'arn:aws:s3:us-east-1:111122223333:accesspoint/ap' }),
    ],
  },
  {
    name: 'pf-iam-policy-resource-partition',
    answers: [
      ...['arn:aws-cn:s3:::b', 'arn:aws-nope:s3:::b', 'arn::s3:::b', 'arn:AWS:s3:::b'].map((Resource) =>
        putRefused({ Resource }, `Partition "${Resource.split(':')[1]}" is not valid for resource "${Resource}".`),
      ),
      put({ Resource: 'arn:*:s3:::b' }),
    ],
  },
  {
    name: 'pf-iam-policy-resource-service-wildcard',
    answers: [
      ...['arn:aws:*:::b', 'arn:aws:s3*:::b'].map((Resource) =>
        putRefused({ Resource }, 'Resource vendor must be fully qualified and cannot contain regexes.'),
      ),
      put({ Resource: 'arn:aws:s3:::b*' }),
    ],
  },
  {
    name: 'pf-iam-policy-sid-format',
    answers: ['allow-s3-read', 'allow s3 read'].map((Sid) =>
      putRefused(
        { Sid },
        'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*',
      ),
    ),
  },
  {
    name: 'pf-iam-policy-statement-required',
    answers: [
      documentRefused(JSON.stringify({ Version: '2012-10-17' }), SYNTAX),
      documentRefused(JSON.stringify({ Version: '2012-10-17', Statement: [] }), SYNTAX),
    ],
  },
  {
    name: 'pf-iam-policy-statement-resource-required',
    answers: [documentRefused(documentOf(noResource), 'Policy statement must contain resources.')],
  },
  {
    name: 'pf-iam-policy-statement-unknown-field',
    answers: ['Effects', 'Sids', 'Id', 'Version'].map((name) => putRefused({ [name]: 'x' }, SYNTAX)),
  },
  {
    name: 'pf-iam-policy-unknown-toplevel-field',
    answers: [
      ...['Description', 'Comment', 'Statement2', 'version'].map((name) =>
        documentRefused(documentOf(statement, { [name]: 'x' }), SYNTAX),
      ),
      accepts('PutRolePolicy', inline(documentOf(statement, { Id: 'x' }))),
    ],
  },
  {
    name: 'pf-iam-policy-version',
    answers: [documentRefused(documentOf(statement, { Version: '2012-10-18' }), SYNTAX)],
  },
  {
    name: 'pf-iam-trust-policy-action-sts-only',
    answers: [
      ...['s3:GetObject', 'sts:*', '*', 'sts:AssumeRoot', 'sts:GetCallerIdentity', 'sts:GetSessionToken', 'sts:assumerole'].map(
        (Action) => trustRefused({ Action }, 'AssumeRole policy may only specify STS AssumeRole actions.'),
      ),
      ...[
        'sts:AssumeRole',
        'sts:AssumeRoleWithWebIdentity',
        'sts:AssumeRoleWithSAML',
        'sts:TagSession',
        'sts:SetSourceIdentity',
        'sts:SetContext',
      ].map((Action) => trust({ Action })),
    ],
  },
  {
    name: 'pf-iam-trust-policy-aws-principal-format',
    answers: [
      principal('AWS', '12345'),
      principal('AWS', 'arn:aws:sts::111122223333:assumed-role/my-role/session'),
      principal('AWS', `arn:aws:iam::${ACCOUNT}:user/*`),
      principal('AWS', `arn:aws:iam::${ACCOUNT}:*`),
      principal('AWS', `${ACCOUNT} `),
      trust({ Principal: { AWS: '*' } }),
      trust({ Principal: { AWS: ACCOUNT } }),
      trust({ Principal: { AWS: '0000-0000-0000' } }),
      trust({ Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` } }),
      trust({ Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/probe` } }),
    ],
  },
  {
    name: 'pf-iam-trust-policy-cognito-condition',
    answers: [
      trustRefused(
        { Principal: { Federated: 'cognito-identity.amazonaws.com' }, Action: 'sts:AssumeRoleWithWebIdentity' },
        'A condition block must be present for the Cognito provider',
      ),
      trust({
        Principal: { Federated: 'cognito-identity.amazonaws.com' },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: { StringEquals: { 'cognito-identity.amazonaws.com:aud': 'pool' } },
      }),
    ],
  },
  { name: 'pf-iam-trust-policy-no-resource', answers: [trustRefused({ Resource: '*' }, 'Has prohibited field Resource')] },
  {
    name: 'pf-iam-trust-policy-principal-star-string',
    answers: [trustRefused({ Principal: '*' }, 'AssumeRolepolicy contained an invalid principal: "STAR":"*"')],
  },
  { name: 'pf-iam-trust-policy-service-principal', answers: [principal('Service', 'lambda.example.com')] },
  { name: 'pf-iam-trust-policy-service-wildcard', answers: [principal('Service', '*')] },
];
