/** What devices send and read is data: it is not in the audit log, which a device could fill with it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import iotData from '@thingkeep/wire/api/iot-data.json' with { type: 'json' };
import iotJobsData from '@thingkeep/wire/api/iot-jobs-data.json' with { type: 'json' };
import { isChange } from './audited-calls.ts';

test('of the data planes the end of a connection, a command and retained messages alone are changes', () => {
  const operations = [...Object.keys(iotData.operations), ...Object.keys(iotJobsData.operations)];
  assert.ok(operations.includes('UpdateThingShadow') && operations.includes('UpdateJobExecution'));
  assert.deepEqual(
    operations.filter((operation) => isChange(operation, {})),
    ['DeleteConnection', 'StartCommandExecution'],
  );
  assert.equal(isChange('Publish', { retain: true }), true);
});
