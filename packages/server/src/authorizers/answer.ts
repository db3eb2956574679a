/**
 * Reads the answer of an authorizer's function, strictly: an answer with any fault admits no client.
 * Source: AWS IoT developer guide, page custom-auth-lambda.
 */
import { defined } from '@thingkeep/wire/defined.ts';
import { parsePolicyDocument } from '@thingkeep/wire/documents/policy.ts';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import { isObject } from '@thingkeep/wire/is-object.ts';

export interface AuthorizerAnswer {
  readonly isAuthenticated: true;
  readonly principalId: string;
  /** Policy documents as text; each one is valid. */
  readonly policyDocuments: readonly string[];
  /** Seconds that a connection lasts at most. */
  readonly disconnectAfterInSeconds: number;
  /** Seconds after which the function is called again; never when absent. */
  readonly refreshAfterInSeconds?: number;
}

export interface NotAuthenticated {
  readonly isAuthenticated: false;
}

/** An answer that is not usable; `fault` is the reason, for the function's owner. */
export interface UnusableAnswer {
  readonly fault: string;
}

const PRINCIPAL = /^[a-zA-Z0-9]{1,128}$/;
const MAX_DOCUMENTS = 10;
/** Characters of one document. */
const LONGEST_DOCUMENT = 2048;
/** Seconds. */
const SHORTEST = 300;
const LONGEST = 86_400;

class Unusable extends Error {}
const unusable = (why: string): never => {
  throw new Unusable(why);
};

function parse(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return unusable('it is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return unusable('it is not a JSON object');
  return value as Readonly<Record<string, unknown>>;
}

function seconds(answer: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const value = answer[name];
  if (value === undefined || value === null) return undefined;
  return typeof value === 'number' && Number.isInteger(value) && value >= SHORTEST && value <= LONGEST
    ? value
    : unusable(`${name} is not a whole number from ${SHORTEST} to ${LONGEST}`);
}

function policyDocument(value: unknown, index: number): string {
  const where = `policy document ${index + 1}`;
  if (typeof value !== 'string' && !isObject(value)) return unusable(`${where} is neither a JSON object nor a string`);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  if (text.length > LONGEST_DOCUMENT) return unusable(`${where} has more than ${LONGEST_DOCUMENT} characters`);
  try {
    parsePolicyDocument(text);
  } catch (error) {
    return error instanceof ThingkeepError ? unusable(`${where}: ${error.message}`) : unusable(`${where} can not be read`);
  }
  return text;
}

/** Reads the policy documents; they may be missing where the policies of a client certificate count as well. */
function policyDocuments(value: unknown, documentsRequired: boolean): readonly string[] {
  if ((value === undefined || value === null) && !documentsRequired) return [];
  if (!Array.isArray(value)) return unusable('policyDocuments is not a list');
  if (value.length > MAX_DOCUMENTS) return unusable(`there are more than ${MAX_DOCUMENTS} policy documents`);
  return value.map(policyDocument);
}

export function readAnswer(
  bytes: Uint8Array,
  { documentsRequired }: { readonly documentsRequired: boolean },
): AuthorizerAnswer | NotAuthenticated | UnusableAnswer {
  try {
    const answer = parse(bytes);
    const { isAuthenticated, principalId } = answer;
    // The text "true" is refused: anything but a boolean fails (page custom-auth-troubleshooting).
    if (typeof isAuthenticated !== 'boolean') return unusable('isAuthenticated is not a boolean');
    if (!isAuthenticated) return { isAuthenticated };
    if (typeof principalId !== 'string' || !PRINCIPAL.test(principalId))
      return unusable('principalId is not 1 to 128 letters and digits');
    const refreshAfterInSeconds = seconds(answer, 'refreshAfterInSeconds');
    return {
      isAuthenticated,
      principalId,
      policyDocuments: policyDocuments(answer.policyDocuments, documentsRequired),
      disconnectAfterInSeconds: seconds(answer, 'disconnectAfterInSeconds') ?? LONGEST,
      ...defined({ refreshAfterInSeconds }),
    };
  } catch (error) {
    if (error instanceof Unusable) return { fault: error.message };
    throw error;
  }
}
