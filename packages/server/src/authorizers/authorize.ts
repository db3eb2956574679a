/**
 * The authentication of one login by one authorizer: the token's signature is verified first, then the function is called.
 * A token without a valid signature causes no call.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { IOT_SERVICE } from '@thingkeep/wire/service-principals.ts';
import { type FunctionInvoker, FunctionError } from '../functions/contract.ts';
import { type AuthorizerAnswer, type NotAuthenticated, readAnswer } from './answer.ts';
import type { CustomCredentials } from './credentials.ts';
import { eventOf, type LoginFacts } from './event.ts';
import { signatureFault } from './signing.ts';
import { type AuthorizerRecord, authorizerArn } from './store.ts';

/** Milliseconds that AWS gives the function (developer guide, page config-custom-auth). */
const TIMEOUT = 5_000;

/** `signature`: the function was not called. `function`: it was, and its answer is not usable. */
export interface AuthorizerFault {
  readonly fault: 'signature' | 'function' | 'overload';
  readonly reason: string;
}

export interface Question {
  /** Account and region of the authorizer. */
  readonly place: Place;
  readonly authorizer: AuthorizerRecord;
  readonly credentials: CustomCredentials;
  readonly facts: LoginFacts;
  /** Whether an answer needs policy documents to be usable. */
  readonly documentsRequired: boolean;
}

const tokenOf = ({ tokenKeyName }: AuthorizerRecord, { token }: CustomCredentials): string | undefined =>
  tokenKeyName === undefined ? undefined : token(tokenKeyName);

async function call(
  functions: FunctionInvoker,
  { place, authorizer }: Question,
  event: Uint8Array,
): Promise<Uint8Array | AuthorizerFault> {
  try {
    // Developer guide, page config-custom-auth: AWS IoT needs the function's permission, for this authorizer.
    const sourceArn = authorizerArn(place, authorizer.authorizerName);
    const as = { service: IOT_SERVICE, sourceArn, sourceAccount: place.accountId, byRoot: authorizer.byRoot };
    return await functions.invoke(authorizer.functionArn, event, { timeoutMs: TIMEOUT, as });
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error;
    const fault = error.fault === 'overload' ? 'overload' : 'function';
    return { fault, reason: `the function gave no answer: ${error.message}` };
  }
}

/** Calls the function and checks its answer; returns the answer or a fault. */
export async function authorize(
  functions: FunctionInvoker,
  question: Question,
): Promise<AuthorizerAnswer | NotAuthenticated | AuthorizerFault> {
  const { authorizer, credentials, facts, documentsRequired } = question;
  const token = tokenOf(authorizer, credentials);
  if (!authorizer.signingDisabled) {
    const fault = signatureFault(authorizer, token, credentials.signature);
    if (fault !== undefined) return { fault: 'signature', reason: fault };
  }
  const proof = { token, signatureVerified: !authorizer.signingDisabled };
  const answer = await call(functions, question, eventOf(facts, proof));
  if ('fault' in answer) return answer;
  const read = readAnswer(answer, { documentsRequired });
  return 'fault' in read ? { fault: 'function', reason: `the function's answer is not valid: ${read.fault}` } : read;
}
