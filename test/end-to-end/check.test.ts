/** `thingkeep check`, and a server on a data file with damaged records: each is named, refused alone, and restored. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import {
  CreateThingCommand,
  CreateTopicRuleCommand,
  DescribeThingCommand,
  GetTopicRuleCommand,
  ListThingsCommand,
  ListTopicRulesCommand,
} from '@aws-sdk/client-iot';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, arn, makeDevice, makePolicy } from './devices.ts';
import { plainEnvironment } from './run-command.ts';
import { MAIN, startServer, temporaryFolder, thingkeep } from './test-core.ts';
import { until } from './until.ts';

/** Changes a record behind the server's back: one bit, unless `sql` says more. */
function alter(dataDir: string, sql: string): void {
  const db = new DatabaseSync(join(dataDir, 'thingkeep.db'));
  assert.equal(db.prepare(sql).run().changes, 1, sql);
  db.close();
}

const rule = (sql: string) => ({
  topicRulePayload: { sql, actions: [{ republish: { topic: 'again', roleArn: 'arn:aws:iam::000000000000:role/r' } }] },
});

test('damaged records are named and refused alone, and the check restores them', async () => {
  const dataDir = temporaryFolder();
  try {
    const deny = { Effect: 'Deny', Action: 'iot:Publish', Resource: arn('topic/forbidden/x') } as const;
    let login = { certPem: '', keyPem: '' };
    {
      await using server = await startServer({ dataDir });
      for (const thingName of ['lamp-1', 'lamp-2', 'lamp-3']) await server.iot.send(new CreateThingCommand({ thingName }));
      await makePolicy(server, 'guarded', [...ALLOW_ALL, deny]);
      login = await makeDevice(server, 'device', 'guarded');
      for (const ruleName of ['one', 'two'])
        await server.iot.send(new CreateTopicRuleCommand({ ruleName, ...rule(`SELECT * FROM 'rules/${ruleName}'`) }));
    }
    const whole = await thingkeep(['check', '--data-dir', dataDir]);
    assert.match(whole.stdout, /^whole: \d+ records and rows$/m);
    assert.equal(whole.code, 0);

    // One bit in the resource of a Deny, in a thing, and in a rule.
    alter(dataDir, `UPDATE record SET value = replace(value, 'forbidden', 'fgrbidden') WHERE collection = 'policies'`);
    alter(dataDir, `UPDATE record SET value = replace(value, '"lamp-2"', '"lamp-3"') WHERE value LIKE '%"thingName":"lamp-2"%'`);
    alter(
      dataDir,
      `UPDATE record SET value = replace(value, '"createdAt"', '"createdAu"') WHERE value LIKE '%"ruleName":"one"%' AND collection = 'rules'`,
    );
    const found = await thingkeep(['check', '--data-dir', dataDir]);
    assert.equal(found.code, 1);
    assert.match(found.stdout, /^policies \["us-east-1","000000000000","guarded"\]: its value is damaged/m);
    assert.match(found.stdout, /^things \["us-east-1","000000000000","lamp-2"\]: its value is damaged/m);
    assert.match(found.stdout, /^rules \["us-east-1","000000000000","one"\]: its value is damaged/m);
    {
      await using server = await startServer({ dataDir });
      const named = server.log.filter(({ event }) => event === 'damaged-record').map(({ collection }) => collection);
      assert.deepEqual(named.slice(0, 3).sort(), ['policies', 'rules', 'things']);
      const { things = [] } = await server.iot.send(new ListThingsCommand({}));
      assert.deepEqual(
        things.map(({ thingName }) => thingName),
        ['lamp-1', 'lamp-3'],
      );
      await assert.rejects(server.iot.send(new DescribeThingCommand({ thingName: 'lamp-2' })), {
        name: 'InternalFailureException',
        message: /damaged.*things \["us-east-1","000000000000","lamp-2"\]/,
      });
      assert.equal((await server.iot.send(new DescribeThingCommand({ thingName: 'lamp-1' }))).thingName, 'lamp-1');
      const { rules = [] } = await server.iot.send(new ListTopicRulesCommand({}));
      assert.deepEqual(
        rules.map(({ ruleName }) => ruleName),
        ['two'],
      );
      // Services that call their own failure otherwise name the record as well.
      await assert.rejects(server.iot.send(new GetTopicRuleCommand({ ruleName: 'one' })), {
        name: 'InternalException',
        message: /damaged.*rules \["us-east-1","000000000000","one"\]/,
      });
      const failed = await server.logged(({ msg, operation }) => msg === 'API request failed' && operation === 'GetTopicRule');
      assert.deepEqual(Object.keys(failed.err as object), ['type', 'message']);
      // What a Deny forbids is not allowed because the Deny can't be read.
      const { device, answer } = await DeviceConnection.connect(server, 4, 'device', login);
      using _ = device;
      assert.notDeepEqual([answer.cmd, (answer as { returnCode?: number }).returnCode], ['connack', 0]);
      const refused = await server.logged(({ event, clientId }) => event === 'refused' && clientId === 'device');
      assert.match(String(refused.reason), /damaged.*policies \["us-east-1","000000000000","guarded"\]/);
      const held = await thingkeep(['check', '--repair', '--data-dir', dataDir]);
      assert.match(held.stderr, /a server runs on this data folder/);
      // While the server runs the check reads a copy, and finds the same.
      const live = await thingkeep(['check', '--data-dir', dataDir]);
      assert.deepEqual([live.code, live.stdout], [found.code, found.stdout], live.stderr);
      assert.deepEqual(
        readdirSync(dirname(dataDir)).filter((name) => name.startsWith(`${basename(dataDir)}.check`)),
        [],
      );
    }
    const repaired = await thingkeep(['check', '--repair', '--data-dir', dataDir]);
    assert.equal(repaired.code, 0, repaired.stdout);
    assert.equal(repaired.stdout.match(/restored, one bit had changed/g)?.length, 3);
    assert.equal(readdirSync(dataDir).filter((name) => name.startsWith('thingkeep.db.damaged-')).length, 1);
    {
      await using server = await startServer({ dataDir });
      assert.equal((await server.iot.send(new ListThingsCommand({}))).things?.length, 3);
      const device = await DeviceConnection.admitted(server, 4, 'device', login);
      device.publish('forbidden/x', 'x', { qos: 1 });
      assert.equal((await device.next()).cmd, 'closed');
    }

    // What can't be restored is told, and the start goes on without it.
    alter(dataDir, `UPDATE record SET value = '{}' WHERE value LIKE '%"thingName":"lamp-1"%'`);
    const lossy = await thingkeep(['check', '--repair', '--data-dir', dataDir]);
    assert.equal(lossy.code, 1);
    assert.match(lossy.stdout, /^things \["us-east-1","000000000000","lamp-1"\]: LOST$/m);
    alter(dataDir, `UPDATE record SET value = '{}' WHERE collection = 'policies'`);
    assert.equal((await thingkeep(['check', '--repair', '--data-dir', dataDir])).code, 1);
    await using server = await startServer({ dataDir });
    // A policy that is attached and lost could have forbidden anything.
    const { device } = await DeviceConnection.connect(server, 4, 'device', login);
    device[Symbol.dispose]();
    const refused = await server.logged(({ event, clientId }) => event === 'refused' && clientId === 'device');
    assert.match(String(refused.reason), /policy guarded is attached, and is missing/);
    assert.equal((await server.iot.send(new ListThingsCommand({}))).things?.length, 2);
  } finally {
    rmSync(dataDir, { recursive: true });
  }
});

test('the parts beside the data file are checked too, while a server runs and while none does', async () => {
  const dataDir = temporaryFolder();
  try {
    const places: [string, RegExp][] = [
      ['ca/device-issuer.pem', /key file .*device-issuer\.pem is damaged/],
      ['root-keys.json', /root-keys\.json/],
      ['audit/key', /audit.*damaged/],
      ['audit/000000000000001.log', /was changed|is not a line/],
      ['functions/installation.json', /functions\/ has a damaged installation\.json/],
    ];
    const flip = (path: string): void => {
      const bytes = readFileSync(join(dataDir, path));
      bytes[20] = (bytes[20] ?? 0) ^ 1;
      writeFileSync(join(dataDir, path), bytes);
    };
    {
      await using server = await startServer({ dataDir });
      await server.iot.send(new CreateThingCommand({ thingName: 'lamp' }));
      assert.equal((await thingkeep(['check', '--data-dir', dataDir])).code, 0);
      flip('ca/device-issuer.pem');
      const live = await thingkeep(['check', '--data-dir', dataDir]);
      assert.equal(live.code, 1);
      // The copy that is read is gone by now: what is named is the file of the data folder.
      assert.ok(live.stdout.includes(`key file ${join(dataDir, 'ca/device-issuer.pem')} is damaged`), live.stdout);
      flip('ca/device-issuer.pem');
    }
    for (const [path, expected] of places) {
      flip(path);
      const { code, stdout, stderr } = await thingkeep(['check', '--data-dir', dataDir]);
      assert.equal(code, 1, path);
      assert.match(stdout + stderr, expected);
      flip(path);
    }
    assert.equal((await thingkeep(['check', '--json', '--data-dir', dataDir])).code, 0);
    rmSync(join(dataDir, 'root-keys.json'));
    const without = await thingkeep(['check', '--data-dir', dataDir]);
    assert.deepEqual([without.code, /root-keys\.json is missing/.test(without.stdout)], [1, true], without.stdout);
  } finally {
    rmSync(dataDir, { recursive: true });
  }
});

test('root checks the data folder of another user while its server runs', { skip: process.getuid?.() !== 0 }, async () => {
  const USER = 65_534;
  const dataDir = temporaryFolder();
  try {
    rmSync(dataDir, { recursive: true, force: true });
    mkdirSync(dataDir, { mode: 0o700 });
    chownSync(dataDir, USER, USER);
    {
      await using _ = await startServer({ dataDir, user: USER });
      const { code, stdout, stderr } = await thingkeep(['check', '--data-dir', dataDir]);
      assert.equal(code, 0, stdout + stderr);
    }
    const { stderr } = await thingkeep(['check', '--data-dir', dataDir]);
    assert.match(stderr, /belongs to user 65534: run this as that user, or while the server runs/);
  } finally {
    rmSync(dataDir, { recursive: true });
  }
});

test('a check of a running server that is ended leaves no copy of the keys; one that was killed, until the next check', async () => {
  const above = temporaryFolder();
  const dataDir = join(above, 'data');
  mkdirSync(dataDir, { mode: 0o700 });
  const copies = (): string[] => readdirSync(above).filter((name) => name !== 'data');
  try {
    await using _ = await startServer({ dataDir });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const) {
      const child = spawn(process.execPath, [MAIN, 'check', '--data-dir', dataDir], { env: plainEnvironment(), stdio: 'ignore' });
      const ended = once(child, 'close');
      await until('the copy', () => copies().some((name) => existsSync(join(above, name, 'thingkeep.db'))) || undefined);
      child.kill(signal);
      assert.deepEqual(await ended, [null, signal]);
      if (signal !== 'SIGKILL') assert.deepEqual(copies(), [], signal);
    }
    assert.equal(copies().length, 1);
    const { code, stdout } = await thingkeep(['check', '--data-dir', dataDir]);
    assert.equal(code, 0, stdout);
    assert.deepEqual(copies(), []);
  } finally {
    rmSync(above, { recursive: true });
  }
});
