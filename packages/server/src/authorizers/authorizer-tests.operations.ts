/** TestInvokeAuthorizer: calls the function with a login that its caller has composed, as for a device. */
import { randomUUID } from 'node:crypto';
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { FunctionInvoker } from '../functions/contract.ts';
import type { Store } from '../store/contract.ts';
import { type AuthorizerFault, authorize } from './authorize.ts';
import { customCredentials, type CustomCredentials, type Head } from './credentials.ts';
import type { LoginFacts } from './event.ts';
import { getAuthorizer } from './records.ts';

type TestInput = IotOperations['TestInvokeAuthorizer']['input'];

const CODES = {
  signature: 'UnauthorizedException',
  function: 'InvalidResponseException',
  overload: 'ThrottlingException',
} as const satisfies Record<AuthorizerFault['fault'], string>;

function headOf({ headers = {}, queryString = '' }: NonNullable<TestInput['httpContext']>): Head {
  return {
    headers: new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value]])),
    query: queryString.replace(/^\?/, ''),
  };
}

/** The login that the contexts describe; a protocol without a context is left out. */
function factsOf({ tlsContext, httpContext, mqttContext }: TestInput): LoginFacts {
  return {
    connectionId: randomUUID(),
    tls: tlsContext === undefined ? undefined : { ...tlsContext },
    http: httpContext === undefined ? undefined : headOf(httpContext),
    mqtt:
      mqttContext === undefined
        ? undefined
        : { userName: mqttContext.username, password: mqttContext.password, clientId: mqttContext.clientId },
  } as LoginFacts;
}

/** Token and signature: the members of the request, else from the contexts as from a device. */
function credentialsOf({ token, tokenSignature }: TestInput, { http, mqtt }: LoginFacts): CustomCredentials {
  const carried = customCredentials(http, mqtt?.userName);
  const signature = tokenSignature ?? carried.signature;
  return {
    signature,
    token: (tokenKeyName) => token ?? carried.token(tokenKeyName),
  };
}

export function authorizerTestOperations({
  store,
  functions,
}: {
  store: Store;
  functions: FunctionInvoker;
}): Handlers<Pick<IotOperations, 'TestInvokeAuthorizer'>> {
  return {
    async TestInvokeAuthorizer(input, caller) {
      const authorizer = await store.read((tx) => getAuthorizer(tx, caller.accountId, input.authorizerName ?? ''));
      const facts = factsOf(input);
      const answer = await authorize(functions, {
        place: caller,
        authorizer,
        credentials: credentialsOf(input, facts),
        facts,
        documentsRequired: true,
      });
      if ('fault' in answer) return fail(CODES[answer.fault], `Not authorized: ${answer.reason}`);
      return answer.isAuthenticated ? { ...answer, policyDocuments: [...answer.policyDocuments] } : answer;
    },
  };
}
