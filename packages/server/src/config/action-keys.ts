/** Credentials that rule actions sign with: profiles of an AWS credentials file, by the name of a service, or `default`. */
import { type AccessKeyRecord, readAccessKeys } from './secrets.ts';

export interface ActionKeys {
  /** The key for a service that an account's rule calls; undefined when there is none. */
  of(accountId: string, service: string): AccessKeyRecord | undefined;
}

/** Without a file the account's own key signs: good for this server itself, and for peers that look at no signature. */
export function openActionKeys(path: string, own: Iterable<AccessKeyRecord>, accountId: string): ActionKeys {
  if (path === '') {
    const keys = [...own];
    return { of: (account) => keys.find((key) => key.accountId === account) };
  }
  const keys = readAccessKeys(path, accountId);
  const named = (profile: string): AccessKeyRecord | undefined => keys.find((key) => key.profile === profile);
  return { of: (_, service) => named(service) ?? named('default') };
}
