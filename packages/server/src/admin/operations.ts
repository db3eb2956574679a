/** Thingkeep's own part of the API: what AWS has no call for. Answers carry no secret. */
import { fail } from '@thingkeep/wire/errors.ts';
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import type { Refusals } from '../refusals/refusals.ts';

type AdminOperation = (parameters: URLSearchParams, caller: Caller) => Promise<unknown>;

const MOST = 1000;

const count = (parameters: URLSearchParams, name: string): number | undefined => {
  const text = parameters.get(name);
  if (text === null) return undefined;
  return /^\d{1,15}$/.test(text) ? Number(text) : fail('InvalidRequestException', `The parameter ${name} is not a number`);
};

export interface AdminOptions {
  readonly refusals: Refusals;
  /** Reads the root keys again: what `thingkeep accounts` has changed counts from now on. */
  readonly reloadRootKeys: () => void;
  /** What the data file knows of the audit log. */
  readonly auditState: () => object;
  /** Whether it is the root of the account that runs the server. */
  readonly isOperator: (caller: Caller) => boolean;
}

function mustOperate(operates: boolean): void {
  if (!operates) fail('AccessDeniedException', 'Only the root of the account that runs the server may do this');
}

/** `GET /admin/refusals?client-id=&certificate-id=&check=&after=&limit=`: the newest refusals of the caller's account, and of nobody's. */
export const adminOperations = ({
  refusals,
  reloadRootKeys,
  auditState,
  isOperator,
}: AdminOptions): ReadonlyMap<string, AdminOperation> =>
  new Map<string, AdminOperation>([
    [
      'GET /admin/refusals',
      async (parameters, { accountId }) => ({
        refusals: refusals.list({
          accountId,
          clientId: parameters.get('client-id') ?? undefined,
          certificateId: parameters.get('certificate-id') ?? undefined,
          check: parameters.get('check') ?? undefined,
          after: count(parameters, 'after'),
          limit: Math.min(count(parameters, 'limit') ?? 100, MOST),
        }),
      }),
    ],
    [
      'GET /admin/audit',
      async (_, caller) => {
        mustOperate(isOperator(caller));
        return auditState();
      },
    ],
    [
      'POST /admin/root-keys/reload',
      async (_, caller) => {
        mustOperate(isOperator(caller));
        reloadRootKeys();
        return {};
      },
    ],
  ]);
