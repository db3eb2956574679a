/**
 * Resources of a rule's actions that must be in the rule's region (developer guide, page
 * accessing-cross-account-resources-using-rules).
 */
import { type Place, otherRegionIn } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { RuleRecord } from './store.ts';

/**
 * Fails with InvalidRequestException for a function or topic of another region. Asked where a rule is made: one that is stored
 * already stays as it is. A template says nothing yet.
 */
export function checkRegions({ actions, errorAction }: Pick<RuleRecord, 'actions' | 'errorAction'>, place: Place): void {
  for (const { lambda, sns } of errorAction === undefined ? actions : [...actions, errorAction]) {
    const named = [otherRegionIn(lambda?.functionArn ?? '', 'lambda', place), otherRegionIn(sns?.targetArn ?? '', 'sns', place)];
    for (const other of named)
      if (other !== undefined && !other.includes('${'))
        fail(
          'InvalidRequestException',
          `A function or topic of the region ${other} can not be used by a rule of ${place.region}`,
        );
  }
}
