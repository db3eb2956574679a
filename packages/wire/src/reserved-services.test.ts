/** Which service a reserved topic or filter is of (developer guide, page reserved-topics). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reservedServiceOf } from './reserved-services.ts';
import { RESERVED_TOPICS } from './topics.ts';

test('topics and filters have their service, and those that are served in any case have none', () => {
  const cases: readonly (readonly [topic: string, service: string | undefined])[] = [
    ['$aws/things/x/defender/metrics/json', 'Device Defender metrics'],
    ['$aws/things/x/defender/metrics/json/accepted', 'Device Defender metrics'],
    ['$share/g/$aws/things/+/defender/#', 'Device Defender metrics'],
    ['$aws/things/+/jobs/notify', undefined],
    ['$aws/things/x/shadow/get', undefined],
    ['$aws/things/x/shadow/name/n/update/accepted', undefined],
    ['$aws/certificates/create/json', undefined],
    ['$aws/provisioning-templates/t/provision/cbor/accepted', undefined],
    ['$aws/events/thing/x/created', undefined],
    ['$aws/events/certificates/registered/+', undefined],
    ['$aws/events/thingGroupHierarchy/thingGroup/+/childThingGroup/+/added', undefined],
    ['$aws/events/jobExecution/#', undefined],
    ['$aws/events/presence/connected/+', undefined],
    ['$aws/events/certificates/registered/+', undefined],
    ['$aws/events/#', undefined],
    ['$aws/#', undefined],
    ['$aws/rules/r/x', undefined],
    ['$aws/things/x/streams/s/get/json', undefined],
    ['$aws/commands/things/x/executions/+/request', undefined],
    ['$aws/events/commandExecution/#', undefined],
    ['$thingkeep/events/refusals/#', undefined],
    ['aws/things/x/shadow/get', undefined],
    ['#', undefined],
  ];
  for (const [topic, service] of cases) assert.equal(reservedServiceOf(topic)?.name, service, topic);
});

test('every reserved topic of AWS is of a service, or served in any case', () => {
  const served =
    /^\$aws\/(events|rules)\/#$|^\$aws\/(certificates|provisioning-templates)\/|^\$aws\/(commands|things\/\+\/(streams|shadow|jobs))\/|^\$thingkeep\//;
  for (const { pattern } of RESERVED_TOPICS) assert.ok(served.test(pattern) || reservedServiceOf(pattern) !== undefined, pattern);
});
