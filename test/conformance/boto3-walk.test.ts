/**
 * boto3 against the whole server: every operation, its refusals, and each raw reply held against botocore's model
 * (boto3_walk.py).
 */
// suite: long
// needs: boto3
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { plainEnvironment, run } from '../end-to-end/run-command.ts';
import { startServer } from '../end-to-end/test-core.ts';

interface Walk {
  readonly served: readonly string[];
  readonly refused: Readonly<Record<string, readonly string[]>>;
  readonly unserved: number;
  readonly slowestRefusal: number;
  readonly faults: readonly string[];
}

/** A Python that has boto3: the one on the path, or Debian's own. */
async function pythonWithBoto3(): Promise<string> {
  for (const candidate of ['python3', '/usr/bin/python3'])
    if ((await run(candidate, ['-c', 'import boto3'], { env: plainEnvironment() })).code === 0) return candidate;
  throw new Error('no Python here has boto3: install the package python3-boto3');
}

test('boto3 walks every operation, and no reply is outside the model', { timeout: 300_000 }, async (t) => {
  const found = await pythonWithBoto3();
  // The walk holds replies against botocore's model: one from before an operation was there can't validate it.
  const knows = "import boto3; boto3.client('iot', region_name='us-east-1').update_thing_type";
  if ((await run(found, ['-c', knows], { env: plainEnvironment() })).code !== 0) {
    t.skip(`the boto3 of ${found} is older than the operations that are walked`);
    return;
  }
  await using server = await startServer();
  const other = await server.createAccount('222222222222');
  const env = { ...server.env, OTHER_KEY_ID: other.accessKeyId, OTHER_SECRET_KEY: other.secretAccessKey };
  const script = fileURLToPath(new URL('./boto3_walk.py', import.meta.url));
  const { stdout, stderr } = await run(found, [script], { env, deadline: 240_000 });
  const last = stdout.trim().split('\n').at(-1) ?? '';
  assert.ok(last.startsWith('{'), `the walk broke off: ${stderr.slice(-2_000)}`);
  const { served, refused, unserved, slowestRefusal, faults } = JSON.parse(last) as Walk;
  assert.deepEqual(faults, []);
  const codes = Object.values(refused).flat();
  // DeleteThingType waits five minutes after a deprecation: only its refusals are walked here.
  const walked = new Set([...served, ...Object.keys(refused)]);
  t.diagnostic(
    `${walked.size} operations walked, ${codes.length} refusals of ${new Set(codes).size} codes, ${unserved} not served yet`,
  );
  assert.ok(slowestRefusal < 2, 'what is not served is refused at once');
  assert.equal(walked.size + unserved, 272 + 8 + 5);
  assert.deepEqual(
    server.log.filter(({ level }) => Number(level) >= 50),
    [],
  );
});
