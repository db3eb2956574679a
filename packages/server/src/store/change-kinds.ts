/** The kinds of what can change: a closed list, for subscribers to changes and for the collections that tell them. */

/**
 * Records of the store. A domain adds its own where it declares the collection, by `declare module`: the list is closed for the
 * whole program.
 */
export interface ChangeKinds {
  'access-key': true;
  authorizer: true;
  'ca-certificate': true;
  certificate: true;
  claim: true;
  destination: true;
  'domain-configuration': true;
  'domain-certificate': true;
  'iam-entity': true;
  'iam-policy': true;
  policy: true;
  'policy-attachment': true;
  'role-alias': true;
  rule: true;
  'server-certificate': true;
  thing: true;
  'thing-principal': true;
  'thing-type': true;
}

export type ChangeKind = keyof ChangeKinds;

/** What changes outside of the store: files. Told in the same way, and never stored. */
export type ExternalKind = 'root-keys' | 'server-credentials';
