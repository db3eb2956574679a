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
  /** What the data file knows of the audit log. */
  readonly auditState: () => object;
  /** Writes a backup into a folder that the caller has made, with a note of the caller's in it. */
  readonly backup: (path: string, note: string) => Promise<object>;
  /** Whether it is the root of the account that runs the server. */
  readonly isOperator: (caller: Caller) => boolean;
}

function mustOperate(operates: boolean): void {
  if (!operates) fail('AccessDeniedException', 'Only the root of the account that runs the server may do this');
}

/** `GET /admin/refusals?client-id=&certificate-id=&check=&after=&limit=`: the newest refusals of the caller's account, and of nobody's. */
export const adminOperations = ({
  refusals,
  rootKeys,
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
