/** Rules that set each other off, through actions and through error actions, on all that they can see: it comes to an end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { message, republish, ROLE, RuleBench } from './rule-bench.ts';
import { HttpReceiver } from './http-receiver.ts';
import { until } from './until.ts';

const sqs = { sqs: { roleArn: ROLE, queueUrl: 'http://q/1' } };

/** A round trip: the server is not busy with anything else. */
async function answers(bench: RuleBench): Promise<void> {
  using device = await bench.connect('prober');
  assert.ok(await device.nothingCame());
}

test('an error action on the topic of its own rule ends with the chain, whatever kind of action failed (6.8)', async () => {
  await using bench = await RuleBench.open();
  await bench.rule('inline', "SELECT * FROM 'own/inline'", [republish('bad/+')], { errorAction: republish('own/inline') });
  await bench.rule('ordered', "SELECT * FROM 'own/ordered'", [sqs], { errorAction: republish('own/ordered') });
  await bench.rule('template', "SELECT * FROM 'own/template'", [republish('bad/+')], {
    errorAction: republish('own/${topic(2)}'),
  });
  for (const name of ['inline', 'ordered', 'template']) {
    using listener = await bench.listener(`own/${name}`);
    using device = await bench.connect('d');
    device.publish(`own/${name}`, '{}', { qos: 1 });
    assert.equal((await device.next()).cmd, 'puback');
    // The message, and one for each rule that may be behind another; the last of them says that it is enough.
    for (let n = 0; n <= 11; n += 1) assert.equal((await message(listener))[0], `own/${name}`);
    await until(`${name} to be cut`, async () =>
      (await bench.metric(new RegExp(`thingkeep_rule_loops_total\\{.*rule="${name}"\\}`))) > 0 ? true : undefined,
    );
    assert.ok(await listener.nothingCame());
  }
  await answers(bench);
});

test('an error action that fails has none of its own, and is told once (6.8)', async () => {
  await using bench = await RuleBench.open();
  await bench.rule('hopeless', "SELECT * FROM 'in'", [sqs, republish('bad/+')], { errorAction: sqs });
  using device = await bench.connect('d');
  device.publish('in', '{}', { qos: 1 });
  assert.equal((await device.next()).cmd, 'puback');
  const failures = (action: number): Promise<number> =>
    bench.metric(new RegExp(`thingkeep_rule_action_failure_total\\{.*rule="hopeless",action="${action}",type="\\w+"\\}`));
  await until('the error action to fail', async () => ((await failures(2)) > 0 ? true : undefined));
  assert.deepEqual([await failures(0), await failures(1), await failures(2)], [1, 1, 1]);
  await until('no order to be left', async () => ((await bench.actionsWaiting()) === 0 ? true : undefined));
});

test('rules on #, on $aws/events/# and on $thingkeep/# that fail and publish end too', async () => {
  await using bench = await RuleBench.open();
  await bench.rule('everything', "SELECT * FROM '#'", [republish('copy/${topic()}'), republish('bad/+')], {
    errorAction: republish('errors/everything'),
  });
  await bench.rule('events', "SELECT * FROM '$aws/events/#'", [republish('events'), sqs], {
    errorAction: republish('errors/events'),
  });
  await bench.rule('own', "SELECT * FROM '$thingkeep/#'", [republish('own'), sqs, republish('bad/+')], {
    errorAction: republish('errors/own'),
  });
  using listener = await bench.listener('copy/#');
  using device = await bench.connect('d');
  device.publish('a', '{}', { qos: 1 });
  assert.equal((await device.next()).cmd, 'puback');
  const seen = new Set<string>();
  while (!seen.has('copy/a')) seen.add((await message(listener))[0]);
  await until('the chain to be cut', async () =>
    (await bench.metric(/thingkeep_rule_loops_total\{.*rule="everything"\}/)) > 0 ? true : undefined,
  );
  const matches = (): Promise<number> => bench.metric(/thingkeep_rule_topic_match_total\{.*rule="everything"\}/);
  // Quiet: a failure is told once a second at most, and what it is told with is no reason for another.
  await until('quiet', async () => {
    const before = await matches();
    assert.ok(await device.nothingCame());
    return (await matches()) === before ? true : undefined;
  });
});

test('a circle through a function and through an HTTP receiver is counted as well', async () => {
  await using receiver = await HttpReceiver.open();
  await using bench = await RuleBench.open(['--http-destinations', receiver.url]);
  await bench.rule('waits', `SELECT aws_lambda('${receiver.url}/f', {'a': 1}) AS x FROM 'round'`, [republish('round')]);
  await bench.rule('posts', "SELECT * FROM 'posts'", [{ http: { url: `${receiver.url}/missing` } }], {
    errorAction: republish('posts'),
  });
  receiver.status = ({ path }) => (path === '/missing' ? 404 : 200);
  using device = await bench.connect('d');
  for (const [topic, rule] of [
    ['round', 'waits'],
    ['posts', 'posts'],
  ] as const) {
    device.publish(topic, '{}', { qos: 1 });
    assert.equal((await device.next()).cmd, 'puback');
    await until(`${rule} to be cut`, async () =>
      (await bench.metric(new RegExp(`thingkeep_rule_loops_total\\{.*rule="${rule}"\\}`))) > 0 ? true : undefined,
    );
  }
  assert.deepEqual(
    ['/f', '/missing'].map((path) => receiver.received.filter((request) => request.path === path).length),
    [11, 12],
  );
});
