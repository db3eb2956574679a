/** Custom authorizers, as core takes them. */
import type { Domain } from '../domain.ts';
import type { FunctionInvoker } from '../functions/contract.ts';
import { type AuthorizerOptions, authorizerOperations } from './authorizers.operations.ts';
import { defaultAuthorizerOperations } from './default-authorizer.operations.ts';
import { authorizerTestOperations } from './authorizer-tests.operations.ts';
import { taggableAuthorizers } from './store.ts';

export type AuthorizerDeps = Omit<AuthorizerOptions, 'store'> & { readonly functions: FunctionInvoker };

export const authorizerDomain = (deps: AuthorizerDeps): Domain => ({
  name: 'authorizers',
  taggable: taggableAuthorizers,
  operations: ({ store }) => ({
    iot: {
      ...authorizerOperations({ store, ...deps }),
      ...defaultAuthorizerOperations({ store, ...deps }),
      ...authorizerTestOperations({ store, ...deps }),
    },
  }),
});
