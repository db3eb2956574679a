/** Who may do what: IAM, session tokens, whose permissions have changed, and the record of refusals. */
import { SessionTokens } from '../credentials/session-tokens.ts';
import { WrongPort } from '../gateway/wrong-port.ts';
import { openIam } from '../iam/iam.ts';
import { PermissionChanges } from '../policies/permission-changes.ts';
import { Refusals } from '../refusals/refusals.ts';
import { followPermissions } from '../registry/follow-permissions.ts';
import { resourceTags } from '../resource-tags.ts';
import { Background } from '../runtime/background.ts';
import type { CoreBase } from './base.ts';
import type { Storage } from './storage.ts';

export async function openAccess({ clock, log, parts, listening }: CoreBase, { store, changes, accessKeys, places }: Storage) {
  const { inRegion } = places;
  const refusals = new Refusals(clock, log);
  const tokens = await SessionTokens.open(store, clock);
  const iam = openIam({ store, changes, clock, tokens, rootAccountOf: (id) => accessKeys.get(id)?.accountId });
  parts.defer(() => iam.uses.flush());
  const background = new Background(clock, log);
  parts.defer(() => background.close());
  const permissionChanges = new PermissionChanges();
  parts.defer(followPermissions({ changes, inRegion, background, permissionChanges }));
  return {
    refusals,
    refuse: refusals.record.bind(refusals),
    wrongPort: new WrongPort(() => listening.ports),
    tokens,
    iam,
    permissionChanges,
    resourceKeys: resourceTags({ inRegion, iamKeys: iam.resourceKeys }),
  };
}

export type Access = Awaited<ReturnType<typeof openAccess>>;
