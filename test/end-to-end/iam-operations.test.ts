/** Every operation of IAM and Lambda that no other test calls, by boto3 with its waiters. */
// needs: root boto3 system-python3
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { zipOfFiles } from '../../packages/server/src/functions/code/zip.fixture.ts';
import { python } from './python-command.ts';
import { startServer, temporaryFolder, type TestServer } from './test-core.ts';

let server: TestServer;
const folder = temporaryFolder();
before(async () => {
  server = await startServer();
});
after(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test('IAM and STS', async () => {
  assert.equal((await python('iam_operations.py', 'boto3', server.env)).trim(), '{}');
});

test('Lambda: settings, aliases of any name, waiters', async () => {
  const archive = join(folder, 'function.zip');
  writeFileSync(archive, zipOfFiles({ 'index.py': 'def handler(event, context):\n    return 1\n' }));
  assert.equal((await python('lambda_settings.py', 'boto3', server.env, archive)).trim(), '{}');
});
