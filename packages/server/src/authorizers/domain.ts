/** Custom authorizers, as core takes them. */
import type { DomainEntry } from '../domain.ts';
import type { FunctionInvoker } from '../functions/contract.ts';
import { type AuthorizerOptions, authorizerOperations } from './authorizers.operations.ts';
import { defaultAuthorizerOperations } from './default-authorizer.operations.ts';
import { authorizerTestOperations } from './authorizer-tests.operations.ts';
import { authorizers, defaultAuthorizers, taggableAuthorizers } from './store.ts';

export type AuthorizerDeps = Omit<AuthorizerOptions, 'store'> & { readonly functions: FunctionInvoker };

export const authorizerDomain: DomainEntry<AuthorizerDeps> = {
  collections: [authorizers, defaultAuthorizers],
  open: (deps) => ({
    name: 'authorizers',
    taggable: taggableAuthorizers,
    operations: ({ store }) => ({
      iot: {
        ...authorizerOperations({ ...deps, store }),
        ...defaultAuthorizerOperations({ ...deps, store }),
        ...authorizerTestOperations({ ...deps, store }),
      },
    }),
  }),
};
