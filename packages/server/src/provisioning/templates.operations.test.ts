/** Provisioning templates and their versions as operations (fact sheet 24.1; API reference, the operations of that name). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stranger } from '../testing/operations-fixture.ts';
import { caller, ProvisioningFixture, ROLE, UNTRUSTING } from '../testing/provisioning-fixture.ts';

const BODY = '{"Resources":{}}';
const FUNCTION = 'arn:aws:lambda:us-east-1:000000000000:function:hook';
const ARN = 'arn:aws:iot:us-east-1:000000000000:provisioningtemplate/fleet';
const create = (bench: ProvisioningFixture, more: object = {}) =>
  bench.call('CreateProvisioningTemplate', { templateName: 'fleet', templateBody: BODY, provisioningRoleArn: ROLE, ...more });
const describeFleet = (bench: ProvisioningFixture) => bench.call('DescribeProvisioningTemplate', { templateName: 'fleet' });

describe('provisioning templates', () => {
  test('one is made as version 1, not enabled, for fleet provisioning, and described as it is', async () => {
    await using bench = await ProvisioningFixture.open();
    assert.deepEqual(await create(bench), { templateArn: ARN, templateName: 'fleet', defaultVersionId: 1 });
    const at = new Date(bench.clock.at);
    assert.deepEqual(await describeFleet(bench), {
      ...{ templateArn: ARN, templateName: 'fleet', description: undefined, creationDate: at, lastModifiedDate: at },
      ...{ enabled: false, type: 'FLEET_PROVISIONING', defaultVersionId: 1, templateBody: BODY },
      ...{ provisioningRoleArn: ROLE, preProvisioningHook: undefined },
    });
    await assert.rejects(create(bench), {
      code: 'ResourceAlreadyExistsException',
      members: { resourceId: 'fleet', resourceArn: ARN },
    });
    await bench.refuses('ResourceNotFoundException', 'DescribeProvisioningTemplate', { templateName: 'fleet' }, /./, stranger);
  });

  test('a body that can not work, a role that can not be assumed, a hook that is none', async () => {
    await using bench = await ProvisioningFixture.open();
    const refused: readonly (readonly [more: object, words: RegExp])[] = [
      [{ templateBody: '[]' }, /^The template body is invalid: /],
      [{ provisioningRoleArn: `${ROLE}-none` }, /^The provisioning role cannot be assumed by AWS IoT$/],
      [{ provisioningRoleArn: UNTRUSTING }, /^The provisioning role cannot be assumed by AWS IoT$/],
      [{ preProvisioningHook: { targetArn: FUNCTION.replace('us-east-1', 'eu-west-1') } }, /^Invalid arguments in the call$/],
      [{ preProvisioningHook: { targetArn: 'hook' } }, /targetArn is neither/],
      [{ preProvisioningHook: { targetArn: FUNCTION, payloadVersion: '2019-01-01' } }, /payloadVersion must be 2020-04-01/],
      [{ preProvisioningHook: { targetArn: FUNCTION }, type: 'JITP' }, /JITP can not have a pre-provisioning hook/],
      [{ templateBody: '{"Resources":{},"Mappings":{}}', type: 'JITP' }, /unknown member, Mappings/],
    ];
    for (const [more, message] of refused)
      await assert.rejects(create(bench, more), { code: 'InvalidRequestException', message });
    assert.deepEqual((await bench.call('ListProvisioningTemplates', {})).templates, []);
  });

  test('an update changes what is given, sets and removes the hook, and selects a version', async () => {
    await using bench = await ProvisioningFixture.open();
    await create(bench, { description: 'lamps' });
    const update = (more: object) => bench.call('UpdateProvisioningTemplate', { templateName: 'fleet', ...more });
    bench.clock.at += 1_000;
    await update({ enabled: true, preProvisioningHook: { targetArn: FUNCTION } });
    const updated = await describeFleet(bench);
    assert.deepEqual([updated.enabled, updated.description], [true, 'lamps']);
    assert.deepEqual(updated.preProvisioningHook, { targetArn: FUNCTION, payloadVersion: '2020-04-01' });
    assert.deepEqual(updated.lastModifiedDate, new Date(bench.clock.at));
    await update({ description: '' });
    assert.equal((await describeFleet(bench)).preProvisioningHook?.targetArn, FUNCTION);
    const both = { removePreProvisioningHook: true, preProvisioningHook: { targetArn: FUNCTION } };
    await assert.rejects(update(both), { code: 'InvalidRequestException' });
    await update({ removePreProvisioningHook: true });
    assert.equal((await describeFleet(bench)).preProvisioningHook, undefined);
    await assert.rejects(update({ defaultVersionId: 2 }), { code: 'ResourceNotFoundException' });
    await assert.rejects(update({ provisioningRoleArn: UNTRUSTING }), { code: 'InvalidRequestException' });
  });

  test('the list goes page by page; tags go with their template', async () => {
    await using bench = await ProvisioningFixture.open();
    for (const templateName of ['a', 'b', 'c']) await create(bench, { templateName, tags: [{ Key: 'k', Value: templateName }] });
    const first = await bench.call('ListProvisioningTemplates', { maxResults: 2 });
    const second = await bench.call('ListProvisioningTemplates', { maxResults: 2, nextToken: first.nextToken });
    const names = [first, second].map(({ templates = [] }) => templates.map(({ templateName }) => templateName));
    assert.deepEqual([names, second.nextToken], [[['a', 'b'], ['c']], undefined]);
    await bench.call('DeleteProvisioningTemplate', { templateName: 'a' });
    await bench.refuses('ResourceNotFoundException', 'DeleteProvisioningTemplate', { templateName: 'a' });
    const isTaggable = bench.domain.taggable?.provisioningtemplate;
    const known = (name: string) => bench.store.read(async (tx) => isTaggable?.(tx, caller.accountId, name));
    assert.deepEqual([await known('a'), await known('b')], [false, true]);
  });
});

describe('versions of templates', () => {
  const version = (bench: ProvisioningFixture, more: object = {}) =>
    bench.call('CreateProvisioningTemplateVersion', { templateName: 'fleet', templateBody: BODY, ...more });
  const remove = (bench: ProvisioningFixture, versionId: number) =>
    bench.call('DeleteProvisioningTemplateVersion', { templateName: 'fleet', versionId });
  const listed = async (bench: ProvisioningFixture) =>
    ((await bench.call('ListProvisioningTemplateVersions', { templateName: 'fleet' })).versions ?? []).map(
      ({ versionId, isDefaultVersion }) => (isDefaultVersion === true ? `${versionId}*` : String(versionId)),
    );

  test('five at most; a number is never given again; the default one can not be deleted', async () => {
    await using bench = await ProvisioningFixture.open();
    await create(bench);
    const other = '{"Resources":{},"DeviceConfiguration":{}}';
    assert.deepEqual(await version(bench, { templateBody: other, setAsDefault: true }), {
      ...{ templateArn: ARN, templateName: 'fleet', versionId: 2, isDefaultVersion: true },
    });
    assert.equal((await describeFleet(bench)).templateBody, other);
    for (const expected of [3, 4, 5]) assert.equal((await version(bench)).versionId, expected);
    await assert.rejects(version(bench), { code: 'VersionsLimitExceededException' });
    await assert.rejects(remove(bench, 2), { code: 'DeleteConflictException' });
    await remove(bench, 5);
    await assert.rejects(remove(bench, 5), { code: 'ResourceNotFoundException' });
    assert.equal((await version(bench)).versionId, 6);
    assert.deepEqual(await listed(bench), ['1', '2*', '3', '4', '6']);
    await bench.call('UpdateProvisioningTemplate', { templateName: 'fleet', defaultVersionId: 1 });
    assert.deepEqual(await listed(bench), ['1*', '2', '3', '4', '6']);
    const described = await bench.call('DescribeProvisioningTemplateVersion', { templateName: 'fleet', versionId: 2 });
    assert.deepEqual([described.templateBody, described.isDefaultVersion], [other, false]);
    // AWS deletes a template with several versions: Terraform's provider relies on it.
    await bench.call('DeleteProvisioningTemplate', { templateName: 'fleet' });
  });

  test('pages of versions', async () => {
    await using bench = await ProvisioningFixture.open();
    await create(bench);
    for (let i = 0; i < 4; i += 1) await version(bench);
    const seen: (number | undefined)[] = [];
    let nextToken: string | undefined;
    do {
      const page = await bench.call('ListProvisioningTemplateVersions', { templateName: 'fleet', maxResults: 2, nextToken });
      seen.push(...(page.versions ?? []).map(({ versionId }) => versionId));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    assert.deepEqual(seen, [1, 2, 3, 4, 5]);
  });

  test('the body of a version is checked by the type of its template', async () => {
    await using bench = await ProvisioningFixture.open();
    await create(bench, { type: 'JITP' });
    await assert.rejects(version(bench, { templateBody: '{"Resources":{},"DeviceConfiguration":{}}' }), {
      code: 'InvalidRequestException',
      message: /unknown member, DeviceConfiguration/,
    });
  });
});
