/**
 * What the registry's operations cost in a small and in a large fleet: a table of medians, and how many times the small one the
 * large one is.
 *   node bench/registry.ts [--things 1000000] [--groups 10000] [--members 100000] [--rounds 200]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Handlers } from '../packages/wire/src/api/handlers.ts';
import type { IotOperations } from '../packages/wire/src/api/operation-types.ts';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { iotArn } from '../packages/wire/src/arn.ts';
import { COLLECTIONS } from '../packages/server/src/collections.ts';
import { PermissionChanges } from '../packages/server/src/policies/permission-changes.ts';
import { policyAttachments } from '../packages/server/src/policies/store.ts';
import { followPermissions } from '../packages/server/src/registry/follow-permissions.ts';
import { Background } from '../packages/server/src/runtime/background.ts';
import { putMembership } from '../packages/server/src/registry/groups/memberships.ts';
import { membershipOperations } from '../packages/server/src/registry/groups/thing-group-memberships.operations.ts';
import { createThingGroup } from '../packages/server/src/registry/groups/thing-groups.ts';
import { thingGroupOperations } from '../packages/server/src/registry/groups/thing-groups.operations.ts';
import { createThing } from '../packages/server/src/registry/thing-records.ts';
import { thingPrincipals, things, thingTypes } from '../packages/server/src/registry/store.ts';
import { thingOperations } from '../packages/server/src/registry/things.operations.ts';
import { systemClock as clock } from '../packages/server/src/runtime/clock.ts';
import { ChangeFeed } from '../packages/server/src/store/change-feed.ts';
import { byRegion } from '../packages/server/src/store/regional.ts';
import { openSqliteStore } from '../packages/server/src/store/sqlite/sqlite-store.ts';

const { values } = parseArgs({
  options: {
    things: { type: 'string', default: '1000000' },
    groups: { type: 'string', default: '10000' },
    members: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '200' },
  },
});
const LARGE = { things: Number(values.things), groups: Number(values.groups), members: Number(values.members) };
const SMALL = { things: 1_000, groups: 100, members: 100 };
const ROUNDS = Number(values.rounds);

const place = { accountId: '000000000000', region: 'us-east-1' };
const caller = { ...place, arn: '', userId: '', sourceIp: '', requestId: '' };
const BATCH = 5_000;
const TYPES = 20;
const ROOMS = 1_000;
const CHILDREN = 99;
const ONE_GROUP = 'everyone';

const thingNameOf = (i: number): string => `device-${String(i).padStart(8, '0')}`;
const groupNameOf = (i: number): string => `group-${String(i).padStart(6, '0')}`;

const principalOf = (i: number): string => iotArn(place, 'cert', String(i).padStart(64, '0'));

type Store = ReturnType<ReturnType<typeof byRegion>>;
type Fleet = typeof LARGE;

/** Things with a type and two attributes; roots with 99 children each; one group with very many things. */
async function fill(store: Store, { things: count, groups, members }: Fleet): Promise<void> {
  const kinds = Array.from({ length: TYPES }, (_, i) => `type-${i}`);
  await store.write(async (tx) => {
    for (const thingTypeName of kinds) {
      const properties = { searchableAttributes: [], propagatingAttributes: [] };
      await tx.put(thingTypes, { ...properties, accountId: place.accountId, thingTypeName, thingTypeId: '', createdAt: 0 });
    }
  });
  for (let from = 0; from < count; from += BATCH)
    await store.write(async (tx) => {
      for (let i = from; i < Math.min(from + BATCH, count); i += 1) {
        const attributes = { room: `room-${i % ROOMS}`, serial: `sn-${i}` };
        const input = { thingName: thingNameOf(i), thingTypeName: kinds[i % TYPES], attributePayload: { attributes } };
        await createThing(tx, place, input, 0);
      }
    });
  for (let from = 0; from < groups; from += BATCH)
    await store.write(async (tx) => {
      for (let i = from; i < Math.min(from + BATCH, groups); i += 1) {
        const root = i - (i % (CHILDREN + 1));
        const parent = i === root ? {} : { parentName: groupNameOf(root) };
        await createThingGroup(tx, place, { groupName: groupNameOf(i), ...parent }, 0);
      }
    });
  const group = await store.write((tx) => createThingGroup(tx, place, { groupName: ONE_GROUP }, 0));
  for (let from = 0; from < members; from += BATCH)
    await store.write(async (tx) => {
      for (let i = from; i < Math.min(from + BATCH, members); i += 1) {
        const thing = await tx.get(things, [place.accountId, thingNameOf(i)]);
        if (thing !== undefined) await putMembership(tx, thing, group, 0);
        await tx.put(thingPrincipals, { ...place, thingName: thingNameOf(i), principal: principalOf(i), exclusive: false });
      }
    });
}

type Registry = Handlers<IotOperations>;
type Name = keyof IotOperations;

const call = async <N extends Name>(registry: Registry, name: N, input: IotOperations[N]['input']) => {
  const handler = registry[name];
  if (handler === undefined) throw new RangeError(`${name} is not served`);
  return handler(input, caller);
};

/** Milliseconds of one call: the median of all. */
async function median(work: (i: number) => Promise<unknown>): Promise<number> {
  const took: number[] = [];
  for (let i = -5; i < ROUNDS; i += 1) {
    const begin = performance.now();
    await work(i + 5);
    if (i >= 0) took.push(performance.now() - begin);
  }
  return took.sort((a, b) => a - b)[took.length >> 1] ?? Number.NaN;
}

/** The token of a page in the middle of a list. */
async function middle(page: (nextToken: string | undefined) => Promise<{ nextToken?: string | undefined }>, pages: number) {
  let token: string | undefined;
  for (let i = 0; i < pages; i += 1) token = (await page(token)).nextToken ?? token;
  return token;
}

/**
 * A policy on the group, the time until it is in force for every certificate in it, and how long other work waits.
 */
async function followed(feed: ChangeFeed, store: Store, members: number, rows: Map<string, number>): Promise<void> {
  const permissionChanges = new PermissionChanges();
  let published = 0;
  permissionChanges.on(({ certificateIds = [] }) => (published += certificateIds.length));
  const background = new Background(clock, { error: (line: object) => void process.stderr.write(`${JSON.stringify(line)}\n`) });
  const end = followPermissions({ changes: feed, inRegion: () => store, background, permissionChanges });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const begin = performance.now();
  const target = iotArn(place, 'thinggroup', ONE_GROUP);
  await store.write((tx) => tx.put(policyAttachments, { accountId: place.accountId, policyName: 'P', target, attachedAt: 0 }));
  rows.set('a policy on that group: to the answer', performance.now() - begin);
  await background.idle();
  rows.set('to the last certificate', performance.now() - begin);
  rows.set('longest turn of the event loop meanwhile', delay.max / 1e6);
  end();
  if (published < members) throw new RangeError(`${published} of ${members} certificates were told of`);
}

async function measure(fleet: Fleet): Promise<Map<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'thingkeep-registry-'));
  const feed = new ChangeFeed({
    store: await openSqliteStore({ path: join(folder, 'data'), collections: COLLECTIONS }),
    log: console,
  });
  // As in the server, changes of things are followed.
  feed.on(things, () => undefined);
  const store = byRegion(feed.store)(place.region);
  const registry: Registry = {
    ...thingOperations({ store, clock }),
    ...thingGroupOperations({ store, clock }),
    ...membershipOperations({ store, clock }),
  };
  const begin = performance.now();
  await fill(byRegion(feed.store)(place.region), fleet);
  process.stderr.write(`${fleet.things} things in ${((performance.now() - begin) / 1000).toFixed(0)} s\n`);
  const rows = new Map<string, number>();
  const row = async (name: string, work: (i: number) => Promise<unknown>): Promise<void> =>
    void rows.set(name, await median(work));

  const someThing = (i: number): string => thingNameOf((i * 7_919) % fleet.things);
  const maxResults = 250;
  await row('DescribeThing', (i) => call(registry, 'DescribeThing', { thingName: someThing(i) }));
  await row('CreateThing', (i) =>
    call(registry, 'CreateThing', {
      thingName: `new-${i}`,
      thingTypeName: 'type-1',
      attributePayload: { attributes: { room: 'x' } },
    }),
  );
  await row('ListThings', () => call(registry, 'ListThings', { maxResults }));
  const deep = await middle((nextToken) => call(registry, 'ListThings', { nextToken, maxResults }), fleet.things / 500);
  await row('ListThings, a page in the middle', () => call(registry, 'ListThings', { nextToken: deep, maxResults }));
  await row('ListThings of a type', () => call(registry, 'ListThings', { thingTypeName: 'type-3', maxResults: 50 }));
  const serial = (i: number) => ({ attributeName: 'serial', attributeValue: `sn-${(i * 7_919) % fleet.things}` });
  await row('ListThings with an attribute', (i) => call(registry, 'ListThings', serial(i)));
  const beginning = { attributeName: 'serial', attributeValue: 'sn-9', usePrefixAttributeValue: true, maxResults: 100 };
  await row('ListThings with the beginning of an attribute', () => call(registry, 'ListThings', beginning));
  await row('CreateThingGroup', (i) => call(registry, 'CreateThingGroup', { thingGroupName: `new-${i}` }));
  await row('ListThingGroups', () => call(registry, 'ListThingGroups', { maxResults: 100 }));
  const half = await middle((nextToken) => call(registry, 'ListThingGroups', { nextToken, maxResults: 50 }), fleet.groups / 100);
  await row('ListThingGroups, a page in the middle', () =>
    call(registry, 'ListThingGroups', { nextToken: half, maxResults: 40 }),
  );
  await row('ListThingGroups below a parent', () =>
    call(registry, 'ListThingGroups', { parentGroup: groupNameOf(0), maxResults: 90 }),
  );
  await row('AddThingToThingGroup', (i) =>
    call(registry, 'AddThingToThingGroup', { thingName: someThing(i), thingGroupName: groupNameOf(i % 90) }),
  );
  await row('ListThingGroupsForThing', (i) => call(registry, 'ListThingGroupsForThing', { thingName: someThing(i) }));
  const members = { thingGroupName: ONE_GROUP, maxResults: 90 };
  await row('ListThingsInThingGroup', () => call(registry, 'ListThingsInThingGroup', members));
  const far = await middle(
    (nextToken) => call(registry, 'ListThingsInThingGroup', { thingGroupName: ONE_GROUP, nextToken, maxResults: 50 }),
    Math.floor(fleet.members / 100),
  );
  await row('ListThingsInThingGroup, a page in the middle', () =>
    call(registry, 'ListThingsInThingGroup', { ...members, nextToken: far, recursive: true }),
  );
  await followed(feed, store, fleet.members, rows);
  const start = performance.now();
  await call(registry, 'DeleteThingGroup', { thingGroupName: ONE_GROUP });
  rows.set('DeleteThingGroup of that group, once', performance.now() - start);
  await feed.store[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
  return rows;
}

const small = await measure(SMALL);
const large = await measure(LARGE);
const head = ['', ...[SMALL, LARGE].map(({ things: count }) => `${count.toLocaleString('en')} things, ms`), 'ratio'];
const lines = [...large].map(([name, took]) => {
  const before = small.get(name) ?? Number.NaN;
  return [name, before.toFixed(2), took.toFixed(2), before < 0.005 ? '' : (took / before).toFixed(1)];
});
process.stdout.write(`| ${head.join(' | ')} |\n| --- | ---: | ---: | ---: |\n`);
for (const cells of lines) process.stdout.write(`| ${cells.join(' | ')} |\n`);
