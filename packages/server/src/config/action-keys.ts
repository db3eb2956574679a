/** Credentials that rule actions sign with at the operator's endpoints: profiles of an AWS credentials file. */
import { ConfigError } from './config-error.ts';
import { type ProfileKey, readAccessKeys } from './secrets.ts';

export interface ActionKeys {
  /** The key for a service that an account's rule calls; undefined when the operator has given it none. */
  of(accountId: string, service: string): ProfileKey | undefined;
}

/** `sqs` and `default` are for the home account, `222222222222/sqs` and `222222222222/default` for another one. */
const PROFILE = /^(?:(\d{12})\/)?([a-z0-9-]+)$/;

/**
 * Reads the file; undefined without one. A key of this server's own is refused: it would let rules act here with every right
 * of its account.
 */
export function openActionKeys(path: string, own: Iterable<ProfileKey>, accountId: string): ActionKeys | undefined {
  if (path === '') return undefined;
  const ownIds = new Set([...own].map(({ accessKeyId }) => accessKeyId));
  const keys = new Map<string, ProfileKey>();
  for (const key of readAccessKeys(path, accountId)) {
    if (ownIds.has(key.accessKeyId))
      throw new ConfigError(`--action-credentials: profile ${key.profile} of ${path} holds an access key of this server's root`);
    const [, account = accountId, service] = PROFILE.exec(key.profile) ?? [];
    if (service !== undefined) keys.set(`${account}/${service}`, key);
  }
  return { of: (account, service) => keys.get(`${account}/${service}`) ?? keys.get(`${account}/default`) };
}
