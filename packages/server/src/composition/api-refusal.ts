/** The record of a request that the API refused. */
import { defined } from '@thingkeep/wire/defined.ts';
import { notesOf, recordedMessage } from '@thingkeep/wire/errors.ts';
import type { ApiRefusal } from '../api/error-answers.ts';
import type { Refusal } from '../refusals/refusals.ts';
import { signatureRefusal } from '../refusals/signature-refusal.ts';

export function apiRefusal({ sourceIp, method, path, caller, error }: ApiRefusal): Refusal {
  const asked = { protocol: 'api', sourceIp, action: method } as const;
  if (caller === undefined) {
    const refusal = signatureRefusal(error);
    return { ...refusal, ...asked, resource: refusal.accountId === undefined ? firstSegment(path) : path };
  }
  const { accountId, region, arn: principal } = caller;
  const reason = `${error.code}: ${recordedMessage(error)}`;
  return {
    ...asked,
    check: 'policy',
    accountId,
    region,
    principal,
    reason,
    ...(path !== '/' && { resource: path }),
    ...decided(error),
  };
}

/** Every account may see the record of a request that belongs to none; the rest of its path may name what another account has. */
const firstSegment = (path: string): string => path.replace(/^(\/[^/]*\/).+$/s, '$1…');

/** What policies were asked, and what they answered. */
function decided(error: unknown): Partial<Refusal> {
  const { permission, decision } = notesOf(error);
  if (permission === undefined || decision === undefined || decision.effect === 'ALLOWED') return {};
  const { effect, policyName, statement, explain } = decision;
  const { action, resource } = permission;
  return { action, resource, decision: effect, ...defined({ policyName, statement, explain }) };
}
