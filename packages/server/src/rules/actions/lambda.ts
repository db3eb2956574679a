/**
 * The lambda action: an asynchronous invocation, which is accepted and not waited for (developer guide, page
 * lambda-rule-action).
 */
import { IOT_SERVICE } from '@thingkeep/wire/service-principals.ts';
import { FunctionError } from '../../functions/contract.ts';
import { functionUrl } from '../../functions/function-name.ts';
import { ActionError } from './action-error.ts';
import type { ActionType, ParametersOf } from './contract.ts';
import { ruleArn } from '../store.ts';

/** Nobody takes it right now; what failed for another reason fails again. */
const PASSING: ReadonlySet<string> = new Set(['overload', 'timeout', 'unavailable']);

/** Lambda refuses other events (API reference, Invoke: InvalidRequestContentException). */
function isDocument(payload: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    return true;
  } catch {
    return false;
  }
}

export const lambda: ActionType<ParametersOf<'lambda'>> = {
  name: 'LambdaAction',
  resource: ({ functionArn = '' }) => functionArn,
  // The function's own policy says who may invoke it (developer guide, page lambda-rule-action).
  permissions: () => [],
  address: ({ functionArn }) => functionArn,
  async run([{ parameters, payload, ruleName, hostByRoot }], { functions, place, destinations }) {
    // A message may say what function it is: a URL must have the consent of its owner, as that of the http action has.
    const url = functionUrl(parameters.functionArn ?? '');
    if (url !== undefined && !destinations.isConfirmed(place, url, undefined))
      throw new ActionError(destinations.whyUnconfirmed(place, url, undefined), false);
    if (payload.length > 0 && !isDocument(payload))
      throw new ActionError('the payload is not a JSON document, which is what a function takes; SELECT gives one', false);
    const as = {
      service: IOT_SERVICE,
      sourceArn: ruleArn(place, ruleName),
      sourceAccount: place.accountId,
      byRoot: hostByRoot,
      vouched: url !== undefined && destinations.isTrusted(url),
    };
    try {
      await functions.invokeLater(parameters.functionArn ?? '', payload, { as });
    } catch (error) {
      if (error instanceof FunctionError) throw new ActionError(error.message, PASSING.has(error.fault), error);
      throw error;
    }
  },
};
