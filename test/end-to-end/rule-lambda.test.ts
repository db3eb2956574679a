/**
 * The lambda action and what a function takes: JSON alone, as Invoke says; all else fails the action, and the error action is
 * told.
 */
// needs: bubblewrap root system-python3
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddPermissionCommand } from '@aws-sdk/client-lambda';
import { ACCOUNT } from './devices.ts';
import { TestFunctions } from './functions.ts';
import { message, republish, RuleBench } from './rule-bench.ts';

test('a payload that is not a JSON document reaches no function', async () => {
  await using bench = await RuleBench.open();
  using functions = new TestFunctions(bench.server);
  const functionArn = `arn:aws:lambda:us-east-1:${ACCOUNT}:function:takes`;
  await functions.python('takes', 'import json\ndef handler(event, context):\n    print("took " + json.dumps(event))\n');
  const permission = { FunctionName: 'takes', StatementId: 's', Action: 'lambda:InvokeFunction', Principal: 'iot.amazonaws.com' };
  await functions.lambda.send(new AddPermissionCommand(permission));
  const listener = await bench.listener('failed/#');
  const errorAction = republish('failed/${topic(2)}');
  await bench.rule('calls', "SELECT * FROM 'to/+'", [{ lambda: { functionArn } }], { errorAction });
  const device = await bench.connect('sender');
  const hostile = [
    Buffer.from('plain text'),
    Buffer.from([0xff, 0xfe, 0x00]),
    Buffer.from('{"a": 1'),
    Buffer.from('"\xff"', 'latin1'),
  ];
  for (const [index, payload] of hostile.entries()) {
    device.publish(`to/${index}`, payload);
    const [topic, text] = await message(listener);
    const { failures } = JSON.parse(text) as { failures: { errorMessage: string }[] };
    assert.equal(topic, `failed/${index}`);
    assert.match(failures[0]?.errorMessage ?? '', /not a JSON document/);
  }
  for (const [index, payload] of ['{"a":1}', '[1]', '7', '"text"'].entries()) device.publish(`to/json-${index}`, payload);
  assert.equal((await functions.logged('takes', 'took', 4)).length, 4);
});
