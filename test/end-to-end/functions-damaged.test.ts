/** A function whose archive is damaged or missing is not run: its caller is told what helps, the operator which file it is. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { GetFunctionCommand, UpdateFunctionCodeCommand } from '@aws-sdk/client-lambda';
import { zipOfFiles } from '../../packages/server/src/functions/code/zip.fixture.ts';
import { TestFunctions } from './functions.ts';
import { startServer } from './test-core.ts';

const TRUST = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
});

test('a flipped bit and a missing archive give ServiceException and a log line; new code runs', async () => {
  await using server = await startServer({ args: ['--allow-unconfined-functions'] });
  const iam = new IAMClient({ endpoint: server.url, region: 'us-east-1', credentials: server.credentials() });
  await iam.send(new CreateRoleCommand({ RoleName: 'functions', AssumeRolePolicyDocument: TRUST }));
  iam.destroy();
  using functions = new TestFunctions(server);
  const code = 'export const handler = async () => "ran";\n';
  await functions.node('lamp', code);
  const folder = join(server.dataDir, 'functions');
  const [name = ''] = readdirSync(folder).filter((each) => each.endsWith('.zip'));
  const file = join(folder, name);
  const whole = readFileSync(file);
  const { Code } = await functions.lambda.send(new GetFunctionCommand({ FunctionName: 'lamp' }));
  for (const [fault, damage] of [
    ['damaged', () => writeFileSync(file, Buffer.from(whole).fill((whole[40] ?? 0) ^ 4, 40, 41))],
    ['missing', () => rmSync(file)],
  ] as const) {
    damage();
    const message = `The code of the function is ${fault}. UpdateFunctionCode brings it back.`;
    await assert.rejects(functions.invoke('lamp'), { name: 'ServiceException', message });
    const line = await server.logged(({ event, msg }) => event === 'function-code-damaged' && msg === message);
    assert.equal(line.file, file);
    assert.equal((await fetch(Code?.Location ?? '')).status, 500);
  }
  const ZipFile = zipOfFiles({ 'index.mjs': code });
  await functions.lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'lamp', ZipFile }));
  assert.equal((await functions.invoke('lamp')).answer, 'ran');
});
