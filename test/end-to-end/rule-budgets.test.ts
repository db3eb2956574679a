/** What a rule's author may write, by its amount: nothing that is refused was compiled, and nothing of it is stored. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CreateTopicRuleCommand, GetTopicRuleCommand, ListTopicRulesCommand, ReplaceTopicRuleCommand } from '@aws-sdk/client-iot';
import { allow } from './devices.ts';
import { makeRole, makeUser } from './identities.ts';
import { startServer } from './test-core.ts';

test('a rule beyond its budgets of states and nodes is refused, in its statement and in its templates', async () => {
  await using server = await startServer({ args: ['--log-level', 'warn'] });
  const { iot } = await makeUser(server, 'author', [allow(['iot:*', 'iam:PassRole'], '*')]);
  const roleArn = await makeRole(server, 'role');
  const column = (i: number): string => `regexp_matches(a,'(abcdefghij?){999}${i}') AS x${i}`;
  const list = (count: number, part: (index: number) => string): string =>
    Array.from({ length: count }, (_, i) => part(i)).join(',');
  const payload = (sql: string, topic = 'out') => ({
    sql,
    awsIotSqlVersion: '2016-03-23',
    actions: [{ republish: { roleArn, topic } }],
  });
  const beyond = [
    payload(`SELECT ${list(100, column)} FROM 'a'`),
    payload(`SELECT a IN [${list(80_000, () => '1')}] AS r FROM 'a'`),
    payload(`SELECT ${list(16_000, () => 'a')} FROM 'a'`),
    payload("SELECT * FROM 'a'", `out/$`.concat(`{regexp_matches(a,'(abcdefghij?){999}')}`)),
    payload("SELECT * FROM 'a'", `out/$`.concat(`{a IN [${list(5_000, () => '1')}]}`)),
  ];
  const fits = { ...payload(`SELECT regexp_matches(a,'^(abc){9}$') AS x FROM 'a'`), actions: [] };
  await iot.send(new CreateTopicRuleCommand({ ruleName: 'fits', topicRulePayload: fits }));
  for (const topicRulePayload of beyond) {
    const refused = { name: 'SqlParseException', message: /at most \d+ / };
    await assert.rejects(iot.send(new CreateTopicRuleCommand({ ruleName: 'beyond', topicRulePayload })), refused);
    await assert.rejects(iot.send(new ReplaceTopicRuleCommand({ ruleName: 'fits', topicRulePayload })), refused);
  }
  assert.deepEqual(
    (await iot.send(new ListTopicRulesCommand({}))).rules?.map(({ ruleName }) => ruleName),
    ['fits'],
  );
  assert.equal((await iot.send(new GetTopicRuleCommand({ ruleName: 'fits' }))).rule?.sql, fits.sql);
});

test('rules of an account are refused once they are too much together', async () => {
  await using server = await startServer({ args: ['--log-level', 'warn'] });
  const { iot } = await makeUser(server, 'author', [allow('iot:*', '*')]);
  const sql = `SELECT a IN [${'1,'.repeat(4_000)}1] AS r FROM 'a'`;
  const topicRulePayload = { sql, awsIotSqlVersion: '2016-03-23', actions: [] };
  let made = 0;
  const create = async (): Promise<void> => {
    for (; made < 60; made += 1) await iot.send(new CreateTopicRuleCommand({ ruleName: `r${made}`, topicRulePayload }));
  };
  await assert.rejects(create(), { name: 'InvalidRequestException', message: /rules of an account have at most 200000 / });
  assert.ok(made > 40 && made < 50, `${made}`);
});
