/**
 * Clients that leave after the TLS handshake and send nothing: some look at the certificate only then. A health check looks the
 * same, every few seconds, so an address leaves such a record once in a while.
 */
import type { Clock } from '../../runtime/clock.ts';
import { networkOf } from '../../runtime/peer-network.ts';
import { RepeatLimiter } from '../../runtime/repeat-limiter.ts';
import { GIVE_ROOT } from './handshake-fault.ts';

const LIMIT = { max: 1, perMs: 600_000 };
const REASON = `the client left right after the TLS handshake and sent nothing: usually the client does not trust this server's CA, or does not find the host name in its certificate; connect by a name that --endpoint names, and ${GIVE_ROOT}. A port check looks the same`;

export class SilentLeaves {
  readonly #repeats: RepeatLimiter;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#repeats = new RepeatLimiter(clock, LIMIT);
  }

  /** The reason to record; undefined where the address has had its record already. */
  reasonFor(sourceIp: string): string | undefined {
    const leftOut = this.#repeats.admit(networkOf(sourceIp));
    if (leftOut === undefined) return undefined;
    return leftOut === 0 ? REASON : `${REASON} (${leftOut} more of this address were not recorded)`;
  }
}
