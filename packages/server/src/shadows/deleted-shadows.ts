/** Removes what is known of shadows that were deleted once their versions need not go on. */
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import type { Task } from '../store/due-work.ts';
import { VERSION_KEPT } from './shadows.ts';
import { countShadow, shadows } from './store.ts';

const EVERY = 10 * 60_000;
/** Records that one write removes. */
const PAGE = 200;

interface TaskDeps {
  readonly clock: Clock;
  readonly regions: () => Promise<readonly string[]>;
  readonly inRegion: (region: string) => Store;
}

async function removeOne(store: Store, before: number): Promise<boolean> {
  return store.write(async (tx) => {
    const { items } = await tx.scan(shadows, { index: 'byDeletion', prefix: [], limit: PAGE, skipDamaged: true });
    const over = items.filter(({ deletedAt }) => deletedAt !== undefined && deletedAt <= before);
    for (const { accountId, thingName, shadowName } of over) {
      await tx.delete(shadows, [accountId, thingName, shadowName]);
      await countShadow(tx, accountId, thingName, -1);
    }
    return over.length === PAGE;
  });
}

export const deletedShadows = ({ clock, regions, inRegion }: TaskDeps): Task => ({
  name: 'deleted-shadows',
  every: EVERY,
  async run(signal) {
    for (const region of await regions())
      while (!signal.aborted && (await removeOne(inRegion(region), clock.now() - VERSION_KEPT)));
  },
});
