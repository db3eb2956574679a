/** Wills: published for a client that went without saying so, if it may still publish there at that moment. */
import { encodeProperties } from '../mqtt/properties.ts';
import type { Broker } from './broker.ts';
import type { Client } from './client.ts';
import { clampExpiry } from './handlers/publish.ts';

export function fireWill(broker: Broker, client: Client): void {
  const { account, connect } = client;
  const will = connect?.will;
  if (account === undefined || will === undefined) return;
  const topic = account.topic(will.topic);
  for (const action of will.retain ? (['iot:Publish', 'iot:RetainPublish'] as const) : (['iot:Publish'] as const)) {
    const { effect, ...statement } = client.rights.decide(action, topic.arn);
    if (effect === 'ALLOWED') continue;
    client.refuse({
      check: 'policy',
      reason: `${action} on the will topic ${will.topic} is no longer allowed`,
      action,
      resource: topic.arn,
      decision: effect,
      ...statement,
    });
    return;
  }
  const { willDelayInterval: _, ...properties } = will.properties;
  clampExpiry(properties);
  const stored = broker.publishMessage(account, {
    topic,
    payload: will.payload,
    qos: will.qos,
    retain: will.retain,
    properties: encodeProperties(properties),
  });
  stored?.catch((error: unknown) => broker.log.error({ err: error }, 'a retained will could not be stored'));
}
