/** The salesforce action: an event for an input stream (developer guide, page salesforce-rule-action). */
import { ActionError } from './action-error.ts';
import type { ActionType, ParametersOf } from './contract.ts';
import { send } from './http-request.ts';

export const salesforce: ActionType<ParametersOf<'salesforce'>> = {
  name: 'SalesforceAction',
  resource: ({ url = '' }) => url,
  // The token is what proves the rule's right.
  permissions: () => [],
  address: ({ url }) => url,
  literal: ['token', 'url'],
  async run([{ parameters, payload }], { egress, signal }) {
    // The service model lets no other host pass than Salesforce's own.
    const url = new URL(parameters.url ?? '');
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${parameters.token ?? ''}` };
    const { status } = await send(egress, url, { method: 'POST', headers, body: payload, signal, exempt: false });
    if (status >= 200 && status < 300) return;
    throw new ActionError(`HTTP status ${status} from ${url.host}`, status === 429 || status >= 500);
  },
};
