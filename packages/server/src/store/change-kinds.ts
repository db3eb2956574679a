/** The kinds of what can change: a closed list, for whoever follows changes and for the collections that tell them. */

/** Records of the store. */
export type ChangeKind =
  | 'access-key'
  | 'authorizer'
  | 'ca-certificate'
  | 'certificate'
  | 'claim'
  | 'destination'
  | 'domain-configuration'
  | 'domain-certificate'
  | 'iam-entity'
  | 'iam-policy'
  | 'policy'
  | 'policy-attachment'
  | 'role-alias'
  | 'rule'
  | 'server-certificate'
  | 'thing'
  | 'thing-principal'
  | 'thing-type';

/** What changes outside of the store: files. Told in the same way, and never stored. */
export type ToldKind = 'root-keys' | 'server-credentials';
