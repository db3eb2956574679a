/** Job templates, the account's own and managed ones (fact sheet 40). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { JobsFixture, thingArnOf } from './jobs.fixture.ts';

async function opened(): Promise<JobsFixture> {
  const bench = await JobsFixture.open();
  await bench.things('t');
  return bench;
}

describe('templates', () => {
  test('an own template: made of a document or a job, listed, used, deleted', async () => {
    await using bench = await opened();
    const settings = { timeoutConfig: { inProgressTimeoutInMinutes: 9 }, description: 'd' };
    const made = await bench.call('CreateJobTemplate', { jobTemplateId: 'a', document: '{"a":1}', ...settings });
    const jobTemplateArn = 'arn:aws:iot:us-east-1:123456789012:jobtemplate/a';
    assert.deepEqual(made, { jobTemplateArn, jobTemplateId: 'a' });
    const described = await bench.call('DescribeJobTemplate', { jobTemplateId: 'a' });
    assert.deepEqual([described.document, described.timeoutConfig], ['{"a":1}', settings.timeoutConfig]);
    await bench.refuses('ConflictException', 'CreateJobTemplate', { jobTemplateId: 'a', document: '{}', description: 'd' });
    await bench.call('CreateJob', {
      jobId: 'j',
      targets: [thingArnOf('t')],
      jobTemplateArn,
      timeoutConfig: { inProgressTimeoutInMinutes: 3 },
    });
    const { job } = await bench.call('DescribeJob', { jobId: 'j' });
    assert.deepEqual(
      [job?.jobTemplateArn, job?.description, job?.timeoutConfig],
      [jobTemplateArn, 'd', { inProgressTimeoutInMinutes: 3 }],
    );
    assert.equal((await bench.call('GetJobDocument', { jobId: 'j' })).document, '{"a":1}');
    bench.clock.at += 1;
    const jobArn = 'arn:aws:iot:us-east-1:123456789012:job/j';
    await bench.call('CreateJobTemplate', { jobTemplateId: 'b', jobArn, description: 'of j' });
    const ofJob = await bench.call('DescribeJobTemplate', { jobTemplateId: 'b' });
    assert.deepEqual(
      [ofJob.document, ofJob.description, ofJob.timeoutConfig],
      ['{"a":1}', 'of j', { inProgressTimeoutInMinutes: 3 }],
    );
    assert.deepEqual(
      (await bench.call('ListJobTemplates', {})).jobTemplates?.map((each) => each.jobTemplateId),
      ['b', 'a'],
    );
    await bench.call('DeleteJobTemplate', { jobTemplateId: 'a' });
    await bench.refuses('ResourceNotFoundException', 'DescribeJobTemplate', { jobTemplateId: 'a' });
    await bench.refuses('ResourceNotFoundException', 'DeleteJobTemplate', { jobTemplateId: 'a' });
    await bench.refuses('ResourceNotFoundException', 'CreateJobTemplate', {
      jobTemplateId: 'c',
      description: 'd',
      jobArn: `${jobArn}x`,
    });
    for (let i = 1; i < 100; i += 1)
      await bench.call('CreateJobTemplate', { jobTemplateId: `t${i}`, document: '{}', description: 'd' });
    await bench.refuses(
      'LimitExceededException',
      'CreateJobTemplate',
      { jobTemplateId: 'c', document: '{}', description: 'd' },
      /at most 100/,
    );
  });

  test('managed templates: listed, described, and used with their parameters (40)', async () => {
    await using bench = await opened();
    const { managedJobTemplates = [] } = await bench.call('ListManagedJobTemplates', {});
    assert.equal(managedJobTemplates.length, 8);
    const page = await bench.call('ListManagedJobTemplates', { maxResults: 3 });
    assert.equal(page.managedJobTemplates?.length, 3);
    assert.equal((await bench.call('ListManagedJobTemplates', { nextToken: page.nextToken })).managedJobTemplates?.length, 5);
    for (const nextToken of ['0x2', '99', '8', '2.0', '1e0', '-1', ' 3', '03'])
      await bench.refuses('InvalidRequestException', 'ListManagedJobTemplates', { nextToken }, /Invalid next token/);
    const none = await bench.call('ListManagedJobTemplates', { templateName: 'AWS-Nothing' });
    assert.deepEqual(none.managedJobTemplates, []);
    const reboot = await bench.call('DescribeManagedJobTemplate', { templateName: 'AWS-Reboot' });
    assert.deepEqual([reboot.environments, reboot.templateVersion], [['LINUX'], '1.0']);
    assert.equal(reboot.templateArn, 'arn:aws:iot:us-east-1::jobtemplate/AWS-Reboot:1.0');
    assert.equal(
      reboot.document,
      '{"version":"1.0","steps":[{"action":{"name":"Reboot","type":"runHandler","input":{"handler":"reboot.sh",' +
        '"path":"${aws:iot:parameter:pathToHandler}"},"runAsUser":"${aws:iot:parameter:runAsUser}"}}]}',
    );
    await bench.refuses('ResourceNotFoundException', 'DescribeManagedJobTemplate', { templateName: 'AWS-Nothing' });
    await bench.refuses('ResourceNotFoundException', 'DescribeManagedJobTemplate', {
      templateName: 'AWS-Reboot',
      templateVersion: '9.0',
    });
    const install = 'arn:aws:iot:us-east-1::jobtemplate/AWS-Install-Application:1.0';
    const job = (documentParameters: Record<string, string>) => ({
      ...{ jobId: 'j', targets: [thingArnOf('t')], jobTemplateArn: install, documentParameters },
    });
    await bench.refuses('InvalidRequestException', 'CreateJob', job({}), /packages .* is missing/);
    await bench.refuses('InvalidRequestException', 'CreateJob', job({ packages: 'a', x: 'y' }), /no parameter x/);
    await bench.refuses('InvalidRequestException', 'CreateJob', job({ packages: 'a;b' }), /does not match/);
    await bench.call('CreateJob', job({ packages: 'nginx', pathToHandler: '/a"b' }));
    const { document = '' } = await bench.call('GetJobDocument', { jobId: 'j' });
    const { steps } = JSON.parse(document) as { steps: { action: { input: object; runAsUser: string } }[] };
    assert.deepEqual(steps[0]?.action.input, { handler: 'install-packages.sh', args: ['nginx'], path: '/a"b' });
  });
});
