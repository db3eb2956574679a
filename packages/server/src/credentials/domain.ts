/** Role aliases, as core takes them. */
import type { Domain } from '../domain.ts';
import { type RoleAliasOptions, roleAliasOperations } from './role-aliases.operations.ts';
import { taggableRoleAliases } from './store.ts';

export const credentialsDomain = (deps: Omit<RoleAliasOptions, 'store'>): Domain => ({
  name: 'credentials',
  taggable: taggableRoleAliases,
  operations: ({ store }) => ({ iot: roleAliasOperations({ store, ...deps }) }),
});
