/** Resources of a rule's actions that must be in the rule's region (developer guide, page accessing-cross-account-resources-using-rules). */
import { type Place, regionIn } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { RuleRecord } from './store.ts';

/**
 * Fails with InvalidRequestException for a function or topic of another region. Asked where a rule is made: one that is stored
 * already stays as it is. A template says nothing yet.
 */
export function checkRegions({ actions, errorAction }: Pick<RuleRecord, 'actions' | 'errorAction'>, { region }: Place): void {
  for (const { lambda, sns } of errorAction === undefined ? actions : [...actions, errorAction]) {
    const named = [regionIn(lambda?.functionArn ?? '', 'lambda'), regionIn(sns?.targetArn ?? '', 'sns')];
    for (const other of named)
      if (other !== undefined && other !== region && !other.includes('${'))
        fail('InvalidRequestException', `A function or topic of the region ${other} can not be used by a rule of ${region}`);
  }
}
