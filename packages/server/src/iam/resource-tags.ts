/** Tags of users, roles and managed policies, as condition keys of the call's resource. */
import type { Store } from '../store/contract.ts';
import { findByArn } from './identities.ts';
import { findPolicy } from './managed-policies.ts';
import { parseEntityArn } from './names.ts';
import { resourceTagKeys } from './request-keys.ts';
import type { KeyValues } from '@thingkeep/wire/api/authorization.ts';

/** Reads the keys of an ARN; none where the entity is missing or has no tags. */
export const entityTagKeys =
  (store: Store) =>
  (arn: string): Promise<KeyValues> =>
    store.read(async (tx) => {
      const named = parseEntityArn(arn);
      if (named === undefined) return [];
      const found = named.kind === 'policy' ? await findPolicy(tx, named.accountId, arn) : await findByArn(tx, arn);
      return resourceTagKeys(found?.tags ?? []);
    });
