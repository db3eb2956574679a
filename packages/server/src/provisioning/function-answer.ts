/** What a function of an account's owner answers to a question of a provisioning: a JSON object, in time, or a rejection. */
import { JsonError, parseJson } from '@thingkeep/wire/api/parse-json.ts';
import { IOT_SERVICE } from '@thingkeep/wire/service-principals.ts';
import { FunctionError, type FunctionInvoker } from '../functions/contract.ts';
import { isMembers, type Members } from '../payloads/payloads.ts';
import { ProvisioningRejection } from './rejections.ts';

/** Milliseconds. */
const TIMEOUT = 5_000;

/** A function that is asked, and for whom. */
export interface AskedFunction {
  readonly functionArn: string;
  readonly byRoot?: boolean | undefined;
  readonly sourceArn: string;
  readonly sourceAccount: string;
  /** The function's name in refusals that its owner reads. */
  readonly name: string;
  /** Rejects the device's request: it is told no more than that, the owner of the function finds why. */
  readonly reject: (why: string, cause?: unknown) => never;
}

export async function askFunction(functions: FunctionInvoker, asked: AskedFunction, event: object): Promise<Members> {
  const { functionArn, byRoot, sourceArn, sourceAccount, name, reject } = asked;
  const as = { service: IOT_SERVICE, sourceArn, sourceAccount, byRoot };
  try {
    const answer = await functions.invoke(functionArn, Buffer.from(JSON.stringify(event)), { timeoutMs: TIMEOUT, as });
    const body = parseJson(answer);
    return isMembers(body) ? body : reject('answered no object');
  } catch (error) {
    if (error instanceof JsonError) return reject(`answered no JSON: ${error.message}`, error);
    if (!(error instanceof FunctionError)) throw error;
    const why = `gave no answer: ${error.message}`;
    // The device comes again.
    if (error.fault === 'overload') throw new ProvisioningRejection('Throttled', 'Rate exceeded', `${name} ${why}`, error);
    return reject(why, error);
  }
}
