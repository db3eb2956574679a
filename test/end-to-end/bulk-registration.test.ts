/** Bulk registration with the real aws command: an object, a task, its reports; and a process that dies at random lines. */
// suite: long
// needs: aws
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  DescribeThingRegistrationTaskCommand,
  ListCertificatesCommand,
  ListThingPrincipalsCommand,
  ListThingRegistrationTaskReportsCommand,
  ListThingsCommand,
} from '@aws-sdk/client-iot';
import { csrDer, csrPem, newEcKey } from '@thingkeep/x509/testing/csrs.ts';
import { aws, awsJson } from './aws-command.ts';
import { makeRole } from './identities.ts';
import { startServer, type TestServer, temporaryFolder } from './test-core.ts';
import { until } from './until.ts';

const folder = mkdtempSync(join(tmpdir(), 'thingkeep-bulk-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const TEMPLATE = {
  Parameters: { ThingName: { Type: 'String' }, CSR: { Type: 'String' } },
  Resources: {
    thing: { Type: 'AWS::IoT::Thing', Properties: { ThingName: { Ref: 'ThingName' } } },
    certificate: { Type: 'AWS::IoT::Certificate', Properties: { CertificateSigningRequest: { Ref: 'CSR' }, Status: 'ACTIVE' } },
  },
};

/** One request for all devices: each line has a certificate of its own nevertheless. */
const privateKey = newEcKey();
const CSR = csrPem(csrDer({ key: privateKey }));

/** Puts lines into a bucket and starts a task on them. */
async function start(server: TestServer, lines: readonly string[]): Promise<string> {
  const [input, template] = [join(folder, 'lines.json'), join(folder, 'template.json')];
  writeFileSync(input, lines.join('\n'));
  writeFileSync(template, JSON.stringify(TEMPLATE));
  const allowed = [
    { Effect: 'Allow' as const, Action: 'iot:*', Resource: '*' },
    { Effect: 'Allow' as const, Action: 's3:GetObject', Resource: 'arn:aws:s3:::bulk/*' },
  ];
  const role = await makeRole(server, 'bulk', allowed);
  await aws(server.env, 's3', 'mb', 's3://bulk');
  await aws(server.env, 's3', 'cp', input, 's3://bulk/in/lines.json');
  const from = ['--input-file-bucket', 'bulk', '--input-file-key', 'in/lines.json', '--role-arn', role];
  const started = ['iot', 'start-thing-registration-task', '--template-body', `file://${template}`, ...from];
  return (await awsJson<{ taskId: string }>(server.env, ...started)).taskId;
}

const stateOf = (server: TestServer, taskId: string) => server.iot.send(new DescribeThingRegistrationTaskCommand({ taskId }));

const ends = (server: TestServer, taskId: string): Promise<string> =>
  until('the task ends', async () => {
    const { status = '', message } = await stateOf(server, taskId);
    assert.equal(message, undefined);
    return status === 'InProgress' ? undefined : status;
  });

async function report(
  server: TestServer,
  taskId: string,
  reportType: 'RESULTS' | 'ERRORS',
): Promise<{ line: number; [k: string]: unknown }[]> {
  const { resourceLinks = [] } = await server.iot.send(new ListThingRegistrationTaskReportsCommand({ taskId, reportType }));
  const answer = await fetch(resourceLinks[0] ?? '');
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get('access-control-allow-origin'), null, 'it is open to no page, as it is not signed');
  return (await answer.text())
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { line: number });
}

test('section 27: a task registers things with certificates, and tells of bad lines', async () => {
  await using server = await startServer();
  const lines = ['a', 'b', 'c'].map((ThingName) => JSON.stringify({ ThingName, CSR }));
  const taskId = await start(server, [...lines, '{"ThingName":"d"}', '{"ThingName":"e","CSR":"none"}']);
  assert.equal(await ends(server, taskId), 'Completed');
  const { successCount, failureCount, percentageProgress } = await stateOf(server, taskId);
  assert.deepEqual([successCount, failureCount, percentageProgress], [3, 2, 100]);
  const results = await report(server, taskId, 'RESULTS');
  assert.deepEqual(
    results.map(({ line }) => line),
    [1, 2, 3],
  );
  const [first] = results as unknown as { response: { certificatePem: string; resourceArns: Record<string, string> } }[];
  const { certificatePem = '', resourceArns = {} } = first?.response ?? {};
  assert.equal(new X509Certificate(certificatePem).checkPrivateKey(privateKey), true);
  const { principals } = await server.iot.send(new ListThingPrincipalsCommand({ thingName: 'a' }));
  assert.deepEqual(principals, [resourceArns.certificate]);
  const errors = await report(server, taskId, 'ERRORS');
  assert.deepEqual(
    errors.map(({ line }) => line),
    [4, 5],
  );
  assert.match(String(errors[0]?.message), /CSR/);
  await aws(server.env, 'iot', 'list-thing-registration-task-reports', '--task-id', taskId, '--report-type', 'ERRORS');
  assert.equal((await fetch(`${server.url}/thing-registration-reports/none`)).status, 403);
});

test('a task goes on after a kill, and does no line twice', async () => {
  const ENDS = Number(process.env.THINGKEEP_ENDINGS ?? 4);
  const LINES = 60 * (ENDS + 1);
  const dataDir = temporaryFolder();
  let server = await startServer({ dataDir });
  const taskId = await start(
    server,
    Array.from({ length: LINES }, (_, i) => JSON.stringify({ ThingName: `t${i}`, CSR })),
  );
  for (let i = 1; i <= ENDS; i += 1) {
    await until('some more lines are done', async () => {
      const { successCount = 0, status } = await stateOf(server, taskId);
      return status !== 'InProgress' || successCount >= i * 50 ? true : undefined;
    });
    await server.signal('SIGKILL');
    server = await startServer({ dataDir });
  }
  assert.equal(await ends(server, taskId), 'Completed');
  const { successCount, failureCount } = await stateOf(server, taskId);
  assert.deepEqual([successCount, failureCount], [LINES, 0]);
  const results = await report(server, taskId, 'RESULTS');
  assert.deepEqual(
    results.map(({ line }) => line),
    Array.from({ length: LINES }, (_, i) => i + 1),
  );
  const counted = async <T>(
    page: (nextToken?: string) => Promise<{ items?: T[] | undefined; next?: string | undefined }>,
  ): Promise<number> => {
    let [count, token] = [0, undefined as string | undefined];
    do {
      const { items = [], next } = await page(token);
      count += items.length;
      token = next;
    } while (token !== undefined);
    return count;
  };
  const things = await counted(async (nextToken) => {
    const { things: items, nextToken: next } = await server.iot.send(new ListThingsCommand({ nextToken, maxResults: 250 }));
    return { items, next };
  });
  const certificates = await counted(async (marker) => {
    const { certificates: items, nextMarker: next } = await server.iot.send(
      new ListCertificatesCommand({ marker, pageSize: 250 }),
    );
    return { items, next };
  });
  assert.deepEqual([things, certificates], [LINES, LINES]);
  await server[Symbol.asyncDispose]();
  rmSync(dataDir, { recursive: true, force: true });
});
