/** Bounds of IAM (IAM user guide, page reference_iam-quotas): the default quotas, which can't be raised here. */
export const QUOTAS = {
  users: 5000,
  groups: 300,
  roles: 1000,
  policies: 1500,
  accessKeysPerUser: 2,
  groupsPerUser: 10,
  attachedPerUser: 10,
  attachedPerGroup: 10,
  attachedPerRole: 20,
  versionsPerPolicy: 5,
  tags: 50,
  /** Characters without whitespace; of inline policies, all of one entity together. */
  policySize: 6144,
  inlineOfUser: 2048,
  inlineOfGroup: 5120,
  inlineOfRole: 10_240,
  trustPolicy: 2048,
  sessionPolicy: 2048,
  sessionPolicyArns: 10,
} as const;
