/** An egress for tests: it may reach the loopback network, or what a test says. */
import { readAllowed } from './allowed.ts';
import { Egress, type EgressOptions } from './egress.ts';

/** Entries of `--outgoing-allow`. */
export const allowing = (...texts: readonly string[]) => texts.map(readAllowed).filter((entry) => entry !== undefined);

export const testEgress = (options: Partial<EgressOptions> = {}): Egress =>
  new Egress({
    homeAccountId: '000000000000',
    allowed: allowing('127.0.0.0/8'),
    ports: () => [],
    isOwnName: () => false,
    ...options,
  });
