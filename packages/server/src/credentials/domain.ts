/** Role aliases, as core takes them. */
import type { DomainEntry } from '../domain.ts';
import { type RoleAliasOptions, roleAliasOperations } from './role-aliases.operations.ts';
import { roleAliases, sessionSecrets, taggableRoleAliases } from './store.ts';

export const credentialsDomain: DomainEntry<Omit<RoleAliasOptions, 'store'>> = {
  collections: [roleAliases, sessionSecrets],
  open: (deps) => ({
    name: 'credentials',
    taggable: taggableRoleAliases,
    operations: ({ store }) => ({ iot: roleAliasOperations({ ...deps, store }) }),
  }),
};
