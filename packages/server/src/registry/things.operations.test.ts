import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { MINUTE, stranger, RegistryFixture } from '../testing/registry-fixture.ts';
import { things } from './store.ts';
import { attributesAfter, refuseTooMany } from './things.ts';

const names = (output: { things?: readonly object[] | undefined }): unknown[] =>
  (output.things ?? []).map((each) => (each as { thingName?: string }).thingName);

describe('CreateThing and DescribeThing', () => {
  test('gives name, ARN and id; describes what was given', async () => {
    await using bench = await RegistryFixture.open();
    await bench.call('CreateThingType', { thingTypeName: 'lamp' });
    const made = await bench.call('CreateThing', {
      thingName: 'a',
      thingTypeName: 'lamp',
      attributePayload: { attributes: { Description: 'test' } },
    });
    assert.equal(made.thingArn, 'arn:aws:iot:us-east-1:000000000000:thing/a');
    assert.match(made.thingId ?? '', /^[0-9a-f]{8}-/);
    assert.deepEqual(await bench.call('DescribeThing', { thingName: 'a' }), {
      thingName: 'a',
      thingTypeName: 'lamp',
      thingArn: made.thingArn,
      attributes: { Description: 'test' },
      version: 1,
      defaultClientId: 'a',
      thingId: made.thingId,
      billingGroupName: undefined,
    });
    await bench.refuses('ResourceNotFoundException', 'DescribeThing', { thingName: 'a' }, /./, stranger);
  });

  test('the same configuration again gives the same thing, another one is refused (API reference CreateThing)', async () => {
    await using bench = await RegistryFixture.open();
    const input = { thingName: 'a', attributePayload: { attributes: { x: '1', y: '2' } } };
    const first = await bench.call('CreateThing', input);
    const again = await bench.call('CreateThing', {
      thingName: 'a',
      attributePayload: { attributes: { y: '2', x: '1' }, merge: true },
    });
    assert.deepEqual(again, first);
    const others: Record<string, string>[] = [{}, { x: '1' }, { x: '1', y: '3' }, { x: '1', z: '2' }];
    for (const attributes of others)
      await assert.rejects(bench.call('CreateThing', { thingName: 'a', attributePayload: { attributes } }), {
        code: 'ResourceAlreadyExistsException',
        members: { resourceId: 'a', resourceArn: 'arn:aws:iot:us-east-1:000000000000:thing/a' },
      });
    await bench.refuses('ResourceAlreadyExistsException', 'CreateThing', { ...input, thingTypeName: 'lamp' });
  });

  test('two at the same time make one thing', async () => {
    await using bench = await RegistryFixture.open();
    const made = await Promise.all(Array.from({ length: 20 }, () => bench.call('CreateThing', { thingName: 'a' })));
    assert.equal(new Set(made.map((each) => each.thingId)).size, 1);
  });

  test('unknown and deprecated types, unknown billing groups', async () => {
    await using bench = await RegistryFixture.open();
    await bench.refuses('ResourceNotFoundException', 'CreateThing', { thingName: 'a', thingTypeName: 'lamp' });
    await bench.refuses('ResourceNotFoundException', 'CreateThing', { thingName: 'a', billingGroupName: 'b' });
    await bench.call('CreateThingType', { thingTypeName: 'lamp' });
    await bench.call('CreateThing', { thingName: 'old', thingTypeName: 'lamp' });
    await bench.call('DeprecateThingType', { thingTypeName: 'lamp' });
    await bench.refuses('InvalidRequestException', 'CreateThing', { thingName: 'a', thingTypeName: 'lamp' }, /deprecated/);
    // Associations that exist stay (developer guide, page thing-types).
    await bench.call('CreateThing', { thingName: 'old', thingTypeName: 'lamp' });
    await bench.call('UpdateThing', { thingName: 'old', thingTypeName: 'lamp' });
  });

  test('3 attributes without a type, 50 with one, 47 KB together (General Reference, quotas)', async () => {
    await using bench = await RegistryFixture.open();
    await bench.call('CreateThingType', { thingTypeName: 'lamp' });
    const many = (count: number, value = 'v') => ({
      attributes: Object.fromEntries(Array.from({ length: count }, (_, i) => [`n${i}`, value])),
    });
    await bench.call('CreateThing', { thingName: 'a', attributePayload: many(3) });
    await bench.refuses('InvalidRequestException', 'CreateThing', { thingName: 'b', attributePayload: many(4) }, /3 attributes/);
    await bench.call('CreateThing', { thingName: 'c', thingTypeName: 'lamp', attributePayload: many(50) });
    await bench.refuses(
      'InvalidRequestException',
      'CreateThing',
      { thingName: 'd', thingTypeName: 'lamp', attributePayload: many(51) },
      /50/,
    );
    // With the API's own bounds on names and values 50 attributes never reach it; larger ones of another source would.
    const big = Object.fromEntries(Array.from({ length: 48 }, (_, i) => [`n${i}`, 'v'.repeat(1024)]));
    assert.throws(() => refuseTooMany(big, true), { code: 'InvalidRequestException' });
    await bench.refuses('InvalidRequestException', 'UpdateThing', { thingName: 'c', removeThingType: true }, /3 attributes/);
  });

  test('names of JavaScript are names like others', async () => {
    await using bench = await RegistryFixture.open();
    const attributes: Record<string, string> = JSON.parse('{"__proto__":"p","constructor":"c"}');
    await bench.refuses('ResourceNotFoundException', 'DescribeThing', { thingName: '__proto__' });
    await bench.call('CreateThing', { thingName: '__proto__', attributePayload: { attributes } });
    const described = await bench.call('DescribeThing', { thingName: '__proto__' });
    assert.equal(JSON.stringify(described.attributes), '{"__proto__":"p","constructor":"c"}');
    await bench.call('CreateThing', { thingName: '__proto__', attributePayload: { attributes } });
    assert.deepEqual(names(await bench.call('ListThings', { attributeName: '__proto__', attributeValue: 'p' })), ['__proto__']);
  });
});

describe('UpdateThing', () => {
  test('replaces or merges attributes, an empty value removes (API reference AttributePayload)', async () => {
    await using bench = await RegistryFixture.open();
    await bench.call('CreateThing', { thingName: 'a', attributePayload: { attributes: { x: '1', y: '2' } } });
    const after = async (attributes: Record<string, string>, merge?: boolean) => {
      await bench.call('UpdateThing', { thingName: 'a', attributePayload: { attributes, merge } });
      const { attributes: found, version } = await bench.call('DescribeThing', { thingName: 'a' });
      return [found, version];
    };
    assert.deepEqual(await after({ z: '3' }, true), [{ x: '1', y: '2', z: '3' }, 2]);
    assert.deepEqual(await after({ x: '', y: '5' }, true), [{ y: '5', z: '3' }, 3]);
    assert.deepEqual(await after({ w: '4', v: '' }), [{ w: '4' }, 4]);
    await bench.call('UpdateThing', { thingName: 'a' });
    assert.deepEqual(await after({}, true), [{ w: '4' }, 6]);
  });

  test('merging twice is merging once, and never exceeds what was given (property)', () => {
    const attributes = fc.dictionary(fc.string({ maxLength: 3 }), fc.string({ maxLength: 2 }));
    fc.assert(
      fc.property(attributes, attributes, (before, given) => {
        const once = attributesAfter(before, { attributes: given, merge: true });
        assert.deepEqual(attributesAfter(once, { attributes: given, merge: true }), once);
        for (const [name, value] of Object.entries(once))
          assert.equal(value, Object.hasOwn(given, name) ? given[name] : before[name]);
        for (const name of Object.keys(given)) assert.equal(Object.hasOwn(once, name), given[name] !== '');
      }),
    );
  });

  test('gives, changes and takes a type; the expected version is kept', async () => {
    await using bench = await RegistryFixture.open();
    await bench.call('CreateThingType', { thingTypeName: 'lamp' });
    await bench.call('CreateThing', { thingName: 'a' });
    await bench.call('UpdateThing', { thingName: 'a', thingTypeName: 'lamp', expectedVersion: 1 });
    await bench.refuses('VersionConflictException', 'UpdateThing', { thingName: 'a', expectedVersion: 1 });
    assert.equal((await bench.call('DescribeThing', { thingName: 'a' })).thingTypeName, 'lamp');
    await bench.refuses('InvalidRequestException', 'UpdateThing', {
      thingName: 'a',
      thingTypeName: 'lamp',
      removeThingType: true,
    });
    await bench.call('UpdateThing', { thingName: 'a', removeThingType: true });
    assert.equal((await bench.call('DescribeThing', { thingName: 'a' })).thingTypeName, undefined);
    await bench.refuses('ResourceNotFoundException', 'UpdateThing', { thingName: 'a', thingTypeName: 'none' });
    await bench.refuses('ResourceNotFoundException', 'UpdateThing', { thingName: 'none' });
    await bench.call('CreateThingType', { thingTypeName: 'old' });
    await bench.call('DeprecateThingType', { thingTypeName: 'old' });
    await bench.refuses('InvalidRequestException', 'UpdateThing', { thingName: 'a', thingTypeName: 'old' }, /deprecated/);
  });

  test("changes the permissions of the thing's certificates", async () => {
    await using bench = await RegistryFixture.open();
    const certificate = await bench.certificate();
    bench.rung();
    await bench.call('CreateThing', { thingName: 'a' });
    await bench.call('AttachThingPrincipal', { thingName: 'a', principal: certificate.arn });
    assert.deepEqual(bench.rung(), [certificate.id]);
    await bench.call('UpdateThing', { thingName: 'a', attributePayload: { attributes: { room: 'hall' } } });
    assert.deepEqual(bench.rung(), [certificate.id]);
  });
});

describe('DeleteThing', () => {
  test('a missing thing is no error; a version that is not the expected and attached principals are', async () => {
    await using bench = await RegistryFixture.open();
    const certificate = await bench.certificate();
    await bench.call('DeleteThing', { thingName: 'a' });
    await bench.call('CreateThing', { thingName: 'a' });
    await bench.refuses('VersionConflictException', 'DeleteThing', { thingName: 'a', expectedVersion: 2 });
    await bench.call('AttachThingPrincipal', { thingName: 'a', principal: certificate.arn });
    const words = /^Cannot delete\. Thing a is still attached to one or more principals$/;
    await bench.refuses('InvalidRequestException', 'DeleteThing', { thingName: 'a' }, words);
    await bench.call('DetachThingPrincipal', { thingName: 'a', principal: certificate.arn });
    await bench.call('DeleteThing', { thingName: 'a', expectedVersion: 1 });
    await bench.refuses('ResourceNotFoundException', 'DescribeThing', { thingName: 'a' });
  });
});

describe('ListThings', () => {
  const fill = async (): Promise<RegistryFixture> => {
    const bench = await RegistryFixture.open();
    for (const type of ['lamp', 'lock']) await bench.call('CreateThingType', { thingTypeName: type });
    for (let i = 0; i < 30; i += 1)
      await bench.call('CreateThing', {
        thingName: `t${String(i).padStart(2, '0')}`,
        thingTypeName: i % 3 === 0 ? undefined : i % 3 === 1 ? 'lamp' : 'lock',
        attributePayload: { attributes: { room: i % 2 === 0 ? 'hall' : 'hallway', number: String(i) } },
      });
    return bench;
  };

  test('by attribute, by beginning of a value, by type, by both', async () => {
    await using bench = await fill();
    const count = async (input: object) => names(await bench.call('ListThings', input)).length;
    assert.equal(await count({}), 30);
    assert.equal(await count({ attributeName: 'room', attributeValue: 'hall' }), 15);
    assert.equal(await count({ attributeName: 'room', attributeValue: 'hall', usePrefixAttributeValue: true }), 30);
    assert.equal(await count({ attributeName: 'room', attributeValue: 'hallx', usePrefixAttributeValue: true }), 0);
    assert.equal(await count({ thingTypeName: 'lamp' }), 10);
    assert.equal(await count({ thingTypeName: 'lam' }), 0);
    assert.equal(await count({ thingTypeName: 'lamp', attributeName: 'room', attributeValue: 'hall' }), 5);
    assert.equal(names(await bench.call('ListThings', {}, stranger)).length, 0);
    await bench.refuses('InvalidRequestException', 'ListThings', { attributeName: 'room' });
    await bench.refuses('InvalidRequestException', 'ListThings', { attributeValue: 'hall' });
  });

  test('pages run through every filter once', async () => {
    await using bench = await fill();
    const filters = [
      {},
      { thingTypeName: 'lock' },
      { attributeName: 'room', attributeValue: 'hall' },
      { attributeName: 'room', attributeValue: 'h', usePrefixAttributeValue: true },
      { attributeName: 'room', attributeValue: 'hall', thingTypeName: 'lock' },
    ];
    for (const filter of filters) {
      const all = names(await bench.call('ListThings', filter)).sort();
      const seen: unknown[] = [];
      let nextToken: string | undefined;
      do {
        const page = await bench.call('ListThings', { ...filter, maxResults: 4, nextToken });
        assert.ok((page.things ?? []).length <= 4);
        seen.push(...names(page));
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
      assert.deepEqual(seen.sort(), all);
    }
    await bench.refuses('InvalidRequestException', 'ListThings', { nextToken: 'rubbish!' });
    const foreign = (await bench.call('ListThings', { maxResults: 1 })).nextToken;
    await bench.refuses('InvalidRequestException', 'ListThings', { nextToken: foreign }, /./, stranger);
  });
});

describe('thing types', () => {
  test('creation is idempotent for the same configuration, refused for another (API reference CreateThingType)', async () => {
    await using bench = await RegistryFixture.open();
    const thingTypeProperties = { thingTypeDescription: 'd', searchableAttributes: ['a', 'b'] };
    const made = await bench.call('CreateThingType', {
      thingTypeName: 'lamp',
      thingTypeProperties,
      tags: [{ Key: 'k', Value: 'v' }],
    });
    assert.equal(made.thingTypeArn, 'arn:aws:iot:us-east-1:000000000000:thingtype/lamp');
    assert.deepEqual(await bench.call('CreateThingType', { thingTypeName: 'lamp', thingTypeProperties }), made);
    await bench.refuses('ResourceAlreadyExistsException', 'CreateThingType', { thingTypeName: 'lamp' });
    const tags = await bench.call('ListTagsForResource', { resourceArn: made.thingTypeArn });
    assert.deepEqual(tags.tags, [{ Key: 'k', Value: 'v' }]);
    const described = await bench.call('DescribeThingType', { thingTypeName: 'lamp' });
    assert.equal(described.thingTypeId, made.thingTypeId);
    assert.deepEqual(described.thingTypeMetadata, {
      deprecated: false,
      deprecationDate: undefined,
      creationDate: new Date(bench.clock.at),
    });
    await bench.refuses('InvalidRequestException', 'CreateThingType', {
      thingTypeName: 'x',
      thingTypeProperties: { searchableAttributes: ['a', 'b', 'c', 'd'] },
    });
  });

  test('lists by the beginning of the name, in pages', async () => {
    await using bench = await RegistryFixture.open();
    for (const thingTypeName of ['thing', 'thingType', 'thingTypeName', 'other'])
      await bench.call('CreateThingType', { thingTypeName });
    const list = async (input: object) =>
      (await bench.call('ListThingTypes', input)).thingTypes?.map((each) => each.thingTypeName);
    assert.deepEqual(await list({}), ['other', 'thing', 'thingType', 'thingTypeName']);
    assert.deepEqual(await list({ thingTypeName: 'thingT' }), ['thingType', 'thingTypeName']);
    const first = await bench.call('ListThingTypes', { thingTypeName: 'thing', maxResults: 2 });
    assert.deepEqual(await list({ thingTypeName: 'thing', nextToken: first.nextToken }), ['thingTypeName']);
  });

  test('is deprecated, waits five minutes, has no things, is deleted (developer guide, page thing-types)', async () => {
    await using bench = await RegistryFixture.open();
    await bench.call('CreateThingType', { thingTypeName: 'lamp', tags: [{ Key: 'k', Value: 'v' }] });
    await bench.call('CreateThing', { thingName: 'a', thingTypeName: 'lamp' });
    await bench.refuses('InvalidRequestException', 'DeleteThingType', { thingTypeName: 'lamp' }, /must be deprecated/);
    await bench.call('DeprecateThingType', { thingTypeName: 'lamp' });
    const { thingTypeMetadata } = await bench.call('DescribeThingType', { thingTypeName: 'lamp' });
    assert.equal(thingTypeMetadata?.deprecated, true);
    assert.deepEqual(thingTypeMetadata?.deprecationDate, new Date(bench.clock.at));
    bench.clock.at += 5 * MINUTE - 1;
    await bench.call('DeprecateThingType', { thingTypeName: 'lamp' });
    // The text that Terraform's provider waits for.
    const wait = /Please wait for 5 minutes after deprecation and then retry/;
    await bench.refuses('InvalidRequestException', 'DeleteThingType', { thingTypeName: 'lamp' }, wait);
    bench.clock.at += 1;
    await bench.refuses('InvalidRequestException', 'DeleteThingType', { thingTypeName: 'lamp' }, /still things/);
    await bench.call('DeleteThing', { thingName: 'a' });
    await bench.call('DeprecateThingType', { thingTypeName: 'lamp', undoDeprecate: true });
    await bench.refuses('InvalidRequestException', 'DeleteThingType', { thingTypeName: 'lamp' }, /must be deprecated/);
    await bench.call('DeprecateThingType', { thingTypeName: 'lamp' });
    bench.clock.at += 5 * MINUTE;
    await bench.call('DeleteThingType', { thingTypeName: 'lamp' });
    await bench.refuses('ResourceNotFoundException', 'DescribeThingType', { thingTypeName: 'lamp' });
    await bench.refuses('ResourceNotFoundException', 'DeleteThingType', { thingTypeName: 'lamp' });
    // Its tags went with it.
    const { thingTypeArn } = await bench.call('CreateThingType', { thingTypeName: 'lamp' });
    assert.deepEqual((await bench.call('ListTagsForResource', { resourceArn: thingTypeArn })).tags, []);
  });

  test('a change of a type with many things leaves the event loop its turns, and nobody waits for its end', async () => {
    await using bench = await RegistryFixture.open();
    await bench.call('CreateThingType', { thingTypeName: 'lamp' });
    await bench.store.write(async (tx) => {
      for (let i = 0; i < 5_000; i += 1)
        await tx.put(things, {
          accountId: '000000000000',
          thingName: `lamp${i}`,
          thingId: `${i}`,
          thingTypeName: 'lamp',
          attributes: {},
          version: 1,
          createdAt: 0,
        });
    });
    let turns = 0;
    let isCounting = true;
    const turn = (): void => {
      turns += 1;
      if (isCounting) setImmediate(turn);
    };
    setImmediate(turn);
    const propagatingAttributes = [{ userPropertyKey: 'id', connectionAttribute: 'iot:ClientId' }];
    await bench.call('UpdateThingType', {
      thingTypeName: 'lamp',
      thingTypeProperties: { mqtt5Configuration: { propagatingAttributes } },
    });
    const before = turns;
    await bench.background.idle();
    isCounting = false;
    assert.ok(before < 5, `${before} turns before the answer`);
    assert.ok(turns - before >= 10, `${turns - before} turns for 5,000 things`);
  });

  test('only mqtt5Configuration changes; the rest again is no change', async () => {
    await using bench = await RegistryFixture.open();
    await bench.call('CreateThingType', { thingTypeName: 'lamp', thingTypeProperties: { thingTypeDescription: 'd' } });
    const mqtt5 = { propagatingAttributes: [{ userPropertyKey: 'k', thingAttribute: 'a' }] };
    // The same configuration again succeeds (API reference, CreateThingType).
    for (let i = 0; i < 2; i += 1)
      await bench.call('CreateThingType', { thingTypeName: 'again', thingTypeProperties: { mqtt5Configuration: mqtt5 } });
    const update = { thingTypeName: 'lamp', thingTypeProperties: { thingTypeDescription: 'other' } };
    await bench.refuses('InvalidRequestException', 'UpdateThingType', update, /^Can only update mqtt5Configuration\.$/);
    const propagatingAttributes = [{ userPropertyKey: 'id', connectionAttribute: 'iot:ClientId' }];
    const thingTypeProperties = { thingTypeDescription: 'd', mqtt5Configuration: { propagatingAttributes } };
    const { id, arn } = await bench.certificate();
    await bench.call('CreateThing', { thingName: 'l', thingTypeName: 'lamp' });
    await bench.call('AttachThingPrincipal', { thingName: 'l', principal: arn });
    bench.rung();
    await bench.call('UpdateThingType', { thingTypeName: 'lamp', thingTypeProperties });
    await bench.background.idle();
    assert.deepEqual(bench.rung(), [id]);
    const described = await bench.call('DescribeThingType', { thingTypeName: 'lamp' });
    assert.deepEqual(described.thingTypeProperties?.mqtt5Configuration, { propagatingAttributes });
    const both = [{ userPropertyKey: 'id', connectionAttribute: 'iot:ClientId', thingAttribute: 'x' }];
    const unknown = [{ userPropertyKey: 'id', connectionAttribute: 'iot:SourceIp' }];
    for (const wrong of [both, unknown, [{ userPropertyKey: 'id' }], Array(21).fill(propagatingAttributes[0])])
      await bench.refuses('InvalidRequestException', 'UpdateThingType', {
        thingTypeName: 'lamp',
        thingTypeProperties: { mqtt5Configuration: { propagatingAttributes: wrong } },
      });
    await bench.refuses('ResourceNotFoundException', 'UpdateThingType', { thingTypeName: 'none', thingTypeProperties: {} });
  });
});
