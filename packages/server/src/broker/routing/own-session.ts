/** A publisher's own session: whether it is, and whether its client takes more. */
import type { Clock } from '../../runtime/clock.ts';
import type { Congestible, Publisher } from '../messaging.ts';
import type { Session } from '../session/session.ts';

/** Milliseconds for which answers wait for a client that takes nothing; then the rest of them is left out. */
const MAX_WAIT = 5_000;

/** Whether the publisher is the session's own connection. */
export const isOwn = ({ client }: Session, publisher: Publisher | undefined): boolean =>
  client !== undefined && client.publisher === publisher;

/** Waits, tick by tick, until the client has room; false where it has gone or takes nothing for {@link MAX_WAIT}. */
export function waitForRoom(
  session: Session,
  publisher: Publisher,
  clock: Clock,
  watch: (receiver: Pick<Congestible, 'check'>) => void,
): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const until = clock.monotonic() + MAX_WAIT;
  watch({
    check: (now) => {
      const isThere = isOwn(session, publisher);
      if (isThere && !session.delivery.hasCapacity && now < until) return 'waiting';
      resolve(isThere && session.delivery.hasCapacity);
      return 'done';
    },
  });
  return promise;
}
