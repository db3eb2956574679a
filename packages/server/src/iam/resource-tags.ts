/** Tags of users, roles and managed policies, as conditions ask about what a call is about. */
import type { Store } from '../store/contract.ts';
import { findByArn } from './identities.ts';
import { findPolicy } from './managed-policies.ts';
import { parseEntityArn } from './names.ts';
import { resourceTagKeys } from './request-keys.ts';
import type { KeyValues } from '@thingkeep/wire/api/authorization.ts';

/** Keys by the ARN; none for what is not there or has no tags. */
export const entityTagKeys =
  (store: Store) =>
  (arn: string): Promise<KeyValues> =>
    store.read(async (tx) => {
      const named = parseEntityArn(arn);
      if (named === undefined) return [];
      const found = named.kind === 'policy' ? await findPolicy(tx, named.accountId, arn) : await findByArn(tx, arn);
      return resourceTagKeys(found?.tags ?? []);
    });
