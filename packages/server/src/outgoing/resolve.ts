/** Resolves host names: those of the operator as the machine does, all others by DNS alone. */
import { lookup, Resolver } from 'node:dns/promises';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/**
 * The addresses of a name; none when it has none. `vouched`: the name was chosen by the operator or by the home account's
 * root, not by a tenant.
 */
export type ResolveName = (host: string, vouched: boolean) => Promise<readonly ResolvedAddress[]>;

/** Milliseconds for one try, and tries. */
const PATIENCE = { timeout: 1500, tries: 2 };
/** Addresses of one name that are used at most. */
const MAX_ADDRESSES = 32;

const LOCALHOST: readonly ResolvedAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
];

const isLocalhost = (host: string): boolean => /(^|\.)localhost\.?$/i.test(host);

/**
 * Resolves a name. The machine's own lookup (hosts file, local domains) occupies one of the four threads of file access for
 * as long as a name server is slow, so names of tenants are resolved by DNS, which occupies none.
 */
export const resolveName: ResolveName = async (host, vouched) => {
  if (vouched) {
    const found = await lookup(host, { all: true, verbatim: true });
    return found.slice(0, MAX_ADDRESSES).map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
  }
  if (isLocalhost(host)) return LOCALHOST;
  const resolver = new Resolver(PATIENCE);
  const none = (): string[] => [];
  const [four, six] = await Promise.all([resolver.resolve4(host).catch(none), resolver.resolve6(host).catch(none)]);
  return [
    ...four.map((address): ResolvedAddress => ({ address, family: 4 })),
    ...six.map((address): ResolvedAddress => ({ address, family: 6 })),
  ].slice(0, MAX_ADDRESSES);
};
