/** Deleted commands: gone at once or, where an execution may be under way, twelve hours later (page iot-remote-command-create-manage). */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { PolicyTags } from '../policies/principals.ts';
import type { Store, WriteTransaction } from '../store/contract.ts';
import { cancel, schedule } from '../store/due-records.ts';
import type { DueHandler } from '../store/due-work.ts';
import { countRecords } from '../store/record-counts.ts';
import { commandArn, commandBodies, type CommandRecord, commands } from './store.ts';

/** Milliseconds of the longest execution. */
const LONGEST = 12 * 3_600_000;
const KIND = 'command-deletion';
const dueName = ({ region, accountId }: Place, commandId: string): string => `${region}/${accountId}/${commandId}`;

interface DeletionItem extends Place {
  readonly commandId: string;
}

export async function removeCommand(tx: WriteTransaction, tags: PolicyTags, place: Place, commandId: string): Promise<void> {
  const { accountId } = place;
  await tx.delete(commands, [accountId, commandId]);
  await tx.delete(commandBodies, [accountId, commandId]);
  await countRecords(tx, accountId, commands.name, -1);
  await tags.remove(tx, accountId, commandArn(place, commandId));
  await cancel(tx, KIND, dueName(place, commandId));
}

/** Deletes a command, or marks it. Says whether it is gone. */
export async function deleteCommand(
  tx: WriteTransaction,
  tags: PolicyTags,
  place: Place,
  command: CommandRecord,
  now: number,
): Promise<boolean> {
  const { commandId, deprecatedAt, deletionAt } = command;
  if (deprecatedAt !== undefined && now - deprecatedAt > LONGEST) {
    await removeCommand(tx, tags, place, commandId);
    return true;
  }
  if (deletionAt !== undefined) return false;
  const { region, accountId } = place;
  const at = now + LONGEST;
  await tx.put(commands, { ...command, deletionAt: at, lastUpdatedAt: now });
  await schedule(tx, { kind: KIND, id: dueName(place, commandId), accountId, at, data: { region, accountId, commandId } });
  return false;
}

export const commandDeletion = (inRegion: (region: string) => Store, tags: PolicyTags): DueHandler => ({
  kind: KIND,
  concurrency: 4,
  async take({ data }) {
    const { commandId, ...place } = data as DeletionItem;
    await inRegion(place.region).write(async (tx) => {
      const command = await tx.get(commands, [place.accountId, commandId]);
      if (command?.deletionAt !== undefined) await removeCommand(tx, tags, place, commandId);
    });
    return 'done';
  },
});
