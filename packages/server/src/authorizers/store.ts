/** Records of custom authorizers. */
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import { collection, type ReadTransaction } from '../store/contract.ts';

export interface AuthorizerRecord {
  readonly accountId: string;
  readonly authorizerName: string;
  /** ARN of a Lambda function, or the URL of an HTTP function. */
  readonly functionArn: string;
  /** Whether the account's root wrote `functionArn`; absent in records of earlier releases. */
  readonly byRoot?: boolean;
  readonly status: 'ACTIVE' | 'INACTIVE';
  /** Name of the header or query parameter that holds the token. */
  readonly tokenKeyName?: string;
  /** PEM of RSA keys by their names; a token signed with any of them counts. */
  readonly tokenSigningPublicKeys: Readonly<Record<string, string>>;
  /** Set at creation; never changed. */
  readonly signingDisabled: boolean;
  readonly enableCachingForHttp: boolean;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly lastModifiedAt: number;
}

export const authorizers = collection<AuthorizerRecord>(
  'authorizers',
  (a) => [a.accountId, a.authorizerName],
  {
    byCreation: (a) => [[a.accountId, a.createdAt, a.authorizerName]],
    byStatus: (a) => [[a.accountId, a.status, a.createdAt, a.authorizerName]],
    /** Authorizers of all accounts by name. */
    byName: (a) => [[a.authorizerName, a.accountId]],
  },
  { changes: 'authorizer' },
);

/** The authorizer for devices that name none; one per account and region. */
export interface DefaultAuthorizerRecord {
  readonly accountId: string;
  readonly authorizerName: string;
}

export const defaultAuthorizers = collection<DefaultAuthorizerRecord>('default-authorizers', (d) => [d.accountId]);

export const authorizerArn = (place: Place, authorizerName: string): string => iotArn(place, 'authorizer', authorizerName);

export const findAuthorizer = (
  tx: ReadTransaction,
  accountId: string,
  authorizerName: string,
): Promise<AuthorizerRecord | undefined> => tx.get(authorizers, [accountId, authorizerName]);

/** The account's default authorizer, if it has one. */
export async function findDefaultAuthorizer(tx: ReadTransaction, accountId: string): Promise<AuthorizerRecord | undefined> {
  const chosen = await tx.get(defaultAuthorizers, [accountId]);
  return chosen === undefined ? undefined : findAuthorizer(tx, accountId, chosen.authorizerName);
}

/** Authorizers as taggable resources. */
export const taggableAuthorizers = {
  authorizer: async (tx: ReadTransaction, accountId: string, name: string): Promise<boolean> =>
    (await findAuthorizer(tx, accountId, name)) !== undefined,
};
