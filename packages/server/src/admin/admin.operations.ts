/** Thingkeep's own part of the API: what AWS has no call for. Answers carry no secret. */
import { fail } from '@thingkeep/wire/errors.ts';
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import { REFUSAL_CHECKS, type RefusalCheck, type Refusals } from '../refusals/refusals.ts';

type AdminOperation = (parameters: URLSearchParams, caller: Caller) => Promise<unknown>;

const MOST = 1000;

const count = (parameters: URLSearchParams, name: string): number | undefined => {
  const text = parameters.get(name);
  if (text === null) return undefined;
  return /^\d{1,15}$/.test(text) ? Number(text) : fail('InvalidRequestException', `The parameter ${name} is not a number`);
};

function checkOf(parameters: URLSearchParams): RefusalCheck | undefined {
  const text = parameters.get('check');
  if (text === null) return undefined;
  const known = REFUSAL_CHECKS.find((check) => check === text);
  return known ?? fail('InvalidRequestException', `The parameter check is none of ${REFUSAL_CHECKS.join(', ')}`);
}

/** Makes keys of accounts' roots. Fails with InvalidRequestException where it can't. */
export interface RootKeyChanges {
  create(accountId: string | undefined, profile: string | undefined): object;
  renew(accountId: string): object;
}

function accountIdOf(parameters: URLSearchParams): string | undefined {
  const id = parameters.get('account-id');
  if (id !== null && !/^\d{12}$/.test(id))
    fail('InvalidRequestException', 'The parameter account-id is not an account id of 12 digits');
  return id ?? undefined;
}

export interface AdminOptions {
  readonly refusals: Refusals;
  readonly rootKeys: RootKeyChanges;
  readonly listExpiring: ListExpiring;
  /** What the data file knows of the audit log. */
  readonly auditState: () => object;
  /** Writes a backup into a folder that the caller has made, with a note of the caller's in it. */
  readonly backup: (path: string, note: string) => Promise<object>;
  /** Whether it is the root of the account that runs the server. */
  readonly isOperator: (caller: Caller) => boolean;
}

/** Certificates that end within some days, of one account or of all. Undefined for a token of a page that is none. */
export type ListExpiring = (query: {
  readonly accountId?: string | undefined;
  readonly withinDays: number;
  readonly limit: number;
  readonly after?: string | undefined;
}) => Promise<object | undefined>;

/** Days of a hundred years: no certificate is asked for beyond. */
const MAX_DAYS = 36_525;

function mustOperate(operates: boolean): void {
  if (!operates) fail('AccessDeniedException', 'Only the root of the account that runs the server may do this');
}

/**
 * `GET /admin/refusals?client-id=&certificate-id=&check=&after=&limit=`: the newest refusals of the caller's account, and of
 * nobody's. `GET /admin/certificates?within-days=&all-accounts=&after=&limit=`: certificates of the caller's account that expire
 * soon; of all accounts for the operator.
 */
export const adminOperations = ({
  refusals,
  rootKeys,
  listExpiring,
  auditState,
  backup,
  isOperator,
}: AdminOptions): ReadonlyMap<string, AdminOperation> =>
  new Map<string, AdminOperation>([
    [
      'GET /admin/refusals',
      async (parameters, { accountId }) => ({
        refusals: refusals.list({
          accountId,
          clientId: parameters.get('client-id') ?? undefined,
          certificateId: parameters.get('certificate-id')?.toLowerCase(),
          check: checkOf(parameters),
          after: count(parameters, 'after'),
          limit: Math.min(count(parameters, 'limit') ?? 100, MOST),
        }),
      }),
    ],
    [
      'GET /admin/certificates',
      async (parameters, caller) => {
        const isAll = parameters.get('all-accounts') === 'true';
        if (isAll) mustOperate(isOperator(caller));
        const found = await listExpiring({
          accountId: isAll ? undefined : caller.accountId,
          withinDays: Math.min(count(parameters, 'within-days') ?? 30, MAX_DAYS),
          limit: Math.max(1, Math.min(count(parameters, 'limit') ?? MOST, MOST)),
          after: parameters.get('after') ?? undefined,
        });
        return found ?? fail('InvalidRequestException', 'The parameter after is no token of a page');
      },
    ],
    [
      'GET /admin/audit',
      async (_, caller) => {
        mustOperate(isOperator(caller));
        return auditState();
      },
    ],
    [
      'POST /admin/backup',
      async (parameters, caller) => {
        mustOperate(isOperator(caller));
        return backup(parameters.get('path') ?? '', parameters.get('note') ?? '');
      },
    ],
    [
      'POST /admin/accounts',
      async (parameters, caller) => {
        mustOperate(isOperator(caller));
        return rootKeys.create(accountIdOf(parameters), parameters.get('profile') ?? undefined);
      },
    ],
    [
      'POST /admin/root-keys',
      async (parameters, caller) => {
        mustOperate(isOperator(caller));
        return rootKeys.renew(accountIdOf(parameters) ?? fail('InvalidRequestException', 'The parameter account-id is missing'));
      },
    ],
  ]);
