/** The will of a CONNECT, authorized as the message that it may become. */
import { policyRefusal } from '../../../refusals/policy-refusal.ts';
import type { Decision } from '@thingkeep/wire/api/authorization.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { clientMayPublish } from '@thingkeep/wire/topics.ts';
import type { MessageAction } from '../../contract.ts';
import type { AdmittedConnect } from './connect-attempt.ts';
import { refuseConnect } from './refuse-connect.ts';

/** Whether the client may publish its will: asked at CONNECT as of a publish, and again when the will is published. */
export function authorizeWill({ client, connect: { will }, account, admission }: AdmittedConnect): boolean {
  if (will === undefined) return true;
  const { accountId, region, principal } = admission;
  const who = { accountId, region, principal };
  const { arn } = account.topic(will.topic);
  if (!clientMayPublish(will.topic) || (will.retain && will.topic.startsWith('$'))) {
    const reason = `clients may not publish on the will topic ${will.topic}: topics that begin with $ are reserved`;
    refuseConnect(client, REASON.NOT_AUTHORIZED, { ...who, check: 'reserved-topic', reason, resource: arn });
    return false;
  }
  const actions: MessageAction[] = will.retain ? ['iot:Publish', 'iot:RetainPublish'] : ['iot:Publish'];
  for (const action of actions) {
    const decision: Decision = admission.permissions.decide(action, arn);
    if (decision.effect === 'ALLOWED') continue;
    const asked = { action, resource: arn, what: `on the will topic ${will.topic}` };
    refuseConnect(client, REASON.NOT_AUTHORIZED, { ...who, ...policyRefusal(asked, decision) });
    return false;
  }
  return true;
}
