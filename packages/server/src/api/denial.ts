/** The decision behind an AccessDeniedException: the error's cause, for the record of the refusal. No client is shown it. */
import type { Decision } from '@thingkeep/wire/api/authorization.ts';
import type { NeededPermission } from '@thingkeep/wire/api/data-permissions.ts';

export class Denial {
  readonly permission: NeededPermission;
  readonly decision: Decision;

  constructor(permission: NeededPermission, decision: Decision) {
    this.permission = permission;
    this.decision = decision;
  }
}
