/** Jobs for tests: their operations beside those of the registry, devices that ask over topics, a clock, and what is published. */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotJobsDataOperations, IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import type { CallerPermissions, FindRole } from '@thingkeep/wire/api/authorization.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { objectFault, type ObjectUrls, type OpenedObject, type RoleObjects } from '../objects/contract.ts';
import { type Messaging, NOTHING_PENDING, type TopicAnswer } from '../broker/messaging.ts';
import type { Domain } from '../domain.ts';
import { eventOperations } from '../events/event-configurations.operations.ts';
import { openPackageShadows } from '../shadows/package-shadows.ts';
import { Shadows } from '../shadows/shadows.ts';
import type { Refusal } from '../refusals/refusals.ts';
import { registryDomain } from '../registry/domain.ts';
import { policyTags } from '../registry/policy-principals.ts';
import { ChangeFeed } from '../store/change-feed.ts';
import type { ChangeSubscriber } from '../store/changes.ts';
import type { Collection, HookedStore, Store } from '../store/contract.ts';
import { dueRecords } from '../store/due-records.ts';
import { DueWork } from '../store/due-work.ts';
import { byRegion } from '../store/regional.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { openMemoryStore } from '../store/rerunning-store.fixture.ts';
import { sharedAuthority } from '../testing/authority-fixture.ts';
import { packageDomain } from '../software-packages/domain.ts';
import { caller, clockAt, OperationsFixture, type TestClock } from '../testing/operations-fixture.ts';
import { jobsDomain } from './domain.ts';
import { jobTargetSubscription } from './followers.ts';
import { openJobs } from './open.ts';

export const START = Date.UTC(2026, 10, 20, 12);
export const MINUTE = 60_000;

export interface Published {
  readonly topic: string;
  readonly payload: string;
}

export interface Answer {
  readonly outcome: string;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}

const place: Place = { region: caller.region, accountId: caller.accountId };

export const thingArnOf = (name: string): string => `arn:aws:iot:${place.region}:${place.accountId}:thing/${name}`;
export const groupArnOf = (name: string): string => `arn:aws:iot:${place.region}:${place.accountId}:thinggroup/${name}`;

interface Parts {
  readonly base: HookedStore;
  readonly feed: ChangeFeed;
  readonly store: Store;
  readonly domain: Domain;
  readonly work: DueWork;
  readonly handlers: Handlers<IotOperations>;
  readonly shadows: Shadows;
}

export const PRESIGN_ROLE = 'arn:aws:iam::123456789012:role/presign';
/** A role that may write the shadow `$package` of every thing but `other`. */
export const PACKAGE_ROLE = 'arn:aws:iam::123456789012:role/packages';

/** Permissions on the objects of one bucket. */
const onlyBucket: CallerPermissions = {
  decide: (_action, resource) => ({ effect: resource.startsWith('arn:aws:s3:::bucket/') ? 'ALLOWED' : 'IMPLICIT_DENY' }),
};

const packageShadowsAlone: CallerPermissions = {
  decide: (action, resource) => ({
    effect:
      action === 'iot:UpdateThingShadow' && resource !== `${thingArnOf('other')}/$package` && resource.endsWith('/$package')
        ? 'ALLOWED'
        : 'IMPLICIT_DENY',
  }),
};

const ROLES: ReadonlyMap<string, CallerPermissions> = new Map([
  [PRESIGN_ROLE, onlyBucket],
  [PACKAGE_ROLE, packageShadowsAlone],
]);

/** Objects of the bucket: their keys are what is in them. */
function openObject(permissions: CallerPermissions, bucket: string, key: string): OpenedObject {
  if (bucket !== 'bucket' || permissions.decide('s3:GetObject', `arn:aws:s3:::${bucket}/${key}`).effect !== 'ALLOWED')
    return objectFault('AccessDenied', 'Access Denied');
  const bytes = Buffer.from(key);
  async function* content(): AsyncGenerator<Uint8Array, void, undefined> {
    yield bytes;
  }
  return { size: bytes.length, etag: '""', lastModified: 0, content: content(), [Symbol.dispose]: () => undefined };
}

/** A durable subscriber that gets everything twice. */
const takenTwice = (subscriber: ChangeSubscriber, kept: Kept): ChangeSubscriber => ({
  ...subscriber,
  async take(changes) {
    await kept.held;
    await subscriber.take(changes);
    await subscriber.take(changes);
  },
});

/** What outlasts a restart beside the store. */
interface Kept {
  /** Says whether a topic has subscribers; every topic has where this is absent. */
  hears?: (topic: string) => boolean;
  /** Changes are handed on once it has settled. */
  held?: Promise<void>;
  readonly refusals: Refusal[];
  readonly rates: { jobReads?: number; jobWrites?: number };
  readonly disk: { low: boolean };
  /** Hears of documents whose URLs are to be signed, and of each URL, by account. */
  readonly signing: { begins: (accountId: string) => Promise<void> | void; signs: (accountId: string) => void };
}

/** What runs over a store until it is restarted. */
async function openParts(base: HookedStore, clock: TestClock, hears: (published: Published) => void, kept: Kept): Promise<Parts> {
  const { refusals, rates, disk, signing } = kept;
  const feed = new ChangeFeed({ store: base, log: console });
  const store = byRegion(feed.store)(place.region);
  const issuer = await sharedAuthority();
  const log = { error: console.error, warn: console.warn };
  const shared = { clock, log, changes: feed, inRegion: () => store, regions: async () => [place.region] };
  const roleObjects: RoleObjects = { open: async ({ permissions }, { bucket, key }) => openObject(permissions, bucket, key) };
  const messaging: Pick<Messaging, 'publish' | 'stored' | 'hasReceivers'> = {
    hasReceivers: (_place, topic) => kept.hears?.(topic) ?? true,
    stored: () => undefined,
    publish: (_place, topic, payload) => {
      hears({ topic, payload: payload.toString() });
      return NOTHING_PENDING;
    },
  };
  const shadows = new Shadows({ clock, inRegion: () => store });
  const findRole: FindRole = async (_account, roleArn, _service, sourceArn = '') => {
    // Trust policies of URLs' roles name the jobs that they are for (fact sheet 37).
    if (roleArn === PRESIGN_ROLE && !/:job(template)?\/./.test(sourceArn))
      return fail('AccessDeniedException', `it is not trusted for ${sourceArn}`);
    return ROLES.get(roleArn) ?? 'unknown-role';
  };
  const objectUrls: ObjectUrls = {
    signerOf: async ({ place: { accountId } }) => {
      await signing.begins(accountId);
      return ({ method, name: { bucket, key }, versionId, expiresInSec }) => {
        signing.signs(accountId);
        return `https://signed/${bucket}/${key}?${method}&${versionId ?? ''}&${expiresInSec}`;
      };
    },
  };
  const domain = jobsDomain.open({
    ...shared,
    disk,
    tags: policyTags,
    refuse: (refusal: Refusal) => void refusals.push(refusal),
    ratesOf: () => rates,
    roleObjects,
    messaging,
    jobs: openJobs({ ...shared, findRole, objectUrls, messaging }),
  });
  const registry = registryDomain.open({ clock, issuer, endpoint: 'iot.example.com', inRegion: () => store });
  const packages = packageDomain.open({
    ...{ clock, tags: policyTags, roleObjects, findRole },
    inRegion: () => store,
    refuse: (refusal: Refusal) => void refusals.push(refusal),
    packageShadows: openPackageShadows({ shadows, messaging }),
  });
  await feed.load([jobTargetSubscription]);
  await domain.load?.();
  // Changes are handed on at least once: here twice, each time.
  feed.begin((domain.subscribers ?? []).map((each) => takenTwice(each, kept)));
  const work = await DueWork.open([domain, registry, packages], { store: feed.store, clock, log: console });
  const context = { region: place.region, store, taggable: domain.taggable ?? {} };
  const handlers = {
    ...registry.operations?.(context).iot,
    ...eventOperations({ store, clock }),
    ...packages.operations?.(context).iot,
    ...domain.operations?.(context).iot,
  };
  return { base, feed, store, domain, work, handlers, shadows };
}

export class JobsFixture extends OperationsFixture {
  readonly clock: TestClock;
  readonly published: Published[] = [];
  readonly kept: Kept;
  #parts: Parts;

  private constructor(parts: Parts, clock: TestClock, heard: { by: (published: Published) => void }, kept: Kept) {
    super(parts.base as OperationsFixture['store']);
    this.#parts = parts;
    this.clock = clock;
    this.kept = kept;
    heard.by = (published) => this.published.push(published);
  }

  /** Over a store in memory, or one in a file, which {@link damage} is for. */
  static async open(path?: string): Promise<JobsFixture> {
    const clock = clockAt(START);
    const heard = { by: (_published: Published): void => undefined };
    const kept: Kept = {
      refusals: [],
      rates: {},
      disk: { low: false },
      signing: { begins: () => undefined, signs: () => undefined },
    };
    const base =
      path === undefined ? await openMemoryStore() : await openSqliteStore({ path, collections: jobsDomain.collections });
    const parts = await openParts(base, clock, (published) => heard.by(published), kept);
    return new JobsFixture(parts, clock, heard, kept);
  }

  protected get handlers(): Handlers<IotOperations> {
    return this.#parts.handlers;
  }

  get account(): string {
    return place.accountId;
  }

  /** The region's store. */
  get regional(): Store {
    return this.#parts.store;
  }

  get data(): Handlers<IotJobsDataOperations> {
    return this.#parts.domain.operations?.({ region: place.region, store: this.regional, taggable: {} })['iot-jobs-data'] ?? {};
  }

  get shadows(): Shadows {
    return this.#parts.shadows;
  }

  /** Ends what runs and begins anew over the same store. */
  async restart(): Promise<void> {
    const { base, work, feed, domain } = this.#parts;
    await work[Symbol.asyncDispose]();
    await feed.end();
    await domain.close?.();
    this.#parts = await openParts(base, this.clock, (published) => this.published.push(published), this.kept);
  }

  /** Damages the records of a collection whose text is like a pattern, behind the back of what runs, which begins anew. */
  async damage(path: string, of: Pick<Collection<never>, 'name'>, like: string): Promise<void> {
    await this[Symbol.asyncDispose]();
    const db = new DatabaseSync(path);
    const { changes } = db
      .prepare(`UPDATE record SET value = value || ' ' WHERE collection = ? AND value LIKE ?`)
      .run(of.name, like);
    db.close();
    assert.notEqual(changes, 0, `no record of ${of.name} is like ${like}`);
    const base = await openSqliteStore({ path, collections: jobsDomain.collections });
    this.#parts = await openParts(base, this.clock, (published) => this.published.push(published), this.kept);
  }

  /** Hands no changes on until the function that it gives is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.kept.held = promise;
    return resolve;
  }

  /** Does what is due once, and waits for no changes. */
  tick(): Promise<void> {
    return this.#parts.work.tick();
  }

  /** Hands changes on, and does nothing that is due. */
  followed(): Promise<void> {
    return this.#parts.feed.settled();
  }

  /** Does what is due, again and again until nothing more is. */
  async settle(): Promise<void> {
    for (;;) {
      await this.#parts.feed.settled();
      const before = await this.#due();
      await this.#parts.work.tick();
      await this.#parts.feed.settled();
      if (before === 0) return;
    }
  }

  async #due(): Promise<number> {
    const all = await this.#parts.feed.store.read((tx) => tx.scan(dueRecords, { prefix: [] }));
    return all.items.filter(({ at }) => at <= this.clock.at).length;
  }

  /** Moves the clock second by second, and does what is due in each. */
  async pass(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i += 1) {
      this.clock.at += 1000;
      await this.#parts.work.tick();
    }
    await this.#parts.feed.settled();
  }

  /** Moves the clock at once. */
  async jump(milliseconds: number): Promise<void> {
    this.clock.at += milliseconds;
    await this.settle();
  }

  async things(...names: readonly string[]): Promise<void> {
    for (const thingName of names) await this.call('CreateThing', { thingName });
  }

  /** Makes a job to things, and has it rolled out. */
  async job(jobId: string, things: readonly string[], more: Partial<IotOperations['CreateJob']['input']> = {}): Promise<void> {
    await this.call('CreateJob', { jobId, targets: things.map(thingArnOf), document: `{"job":"${jobId}"}`, ...more });
    await this.settle();
  }

  /** A device's request over MQTT: what follows the thing's jobs topics. */
  async ask(thingName: string, what: string, body: object | string = ''): Promise<Answer> {
    const topic = `$aws/things/${thingName}/jobs/${what}`;
    const levels = what.split('/');
    const pattern =
      levels.length === 1 ? `$aws/things/{thingName}/jobs/${what}` : `$aws/things/{thingName}/jobs/{jobId}/${levels[1]}`;
    const service = this.#parts.domain.topics?.find((each) => each.pattern === pattern);
    assert.ok(service, `nothing serves ${topic}`);
    const payload = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const parts = { thingName, jobId: levels[0] ?? '' };
    const requester = { clientId: thingName, principal: 'p' };
    const answers: TopicAnswer[] = [];
    const request = { place, topic, parts, payload, qos: 1, properties: undefined, requester };
    for await (const each of await service.serve(request, () => assert.fail('answers are given'))) answers.push(each);
    const [answer, ...more] = answers;
    assert.ok(answer !== undefined && more.length === 0 && answer.to === 'requester');
    const text = answer.payload.toString();
    return { outcome: answer.topic.slice(topic.length + 1), text, body: JSON.parse(text) as Answer['body'] };
  }

  /** What was published on a thing's topics since last asked, as `notify {...}`. */
  heard(thingName: string): string[] {
    const prefix = `$aws/things/${thingName}/jobs/`;
    const own = this.published.filter(({ topic }) => topic.startsWith(prefix));
    this.published.splice(0, Number.POSITIVE_INFINITY, ...this.published.filter((each) => !own.includes(each)));
    return own.map(({ topic, payload }) => `${topic.slice(prefix.length)} ${payload}`);
  }

  /** Status of the last execution of a job on a thing. */
  async status(jobId: string, thingName: string): Promise<string | undefined> {
    return (await this.call('DescribeJobExecution', { jobId, thingName })).execution?.status;
  }

  async jobStatus(jobId: string): Promise<string | undefined> {
    return (await this.call('DescribeJob', { jobId })).job?.status;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    const { base, work, feed, domain } = this.#parts;
    await work[Symbol.asyncDispose]();
    await feed.end();
    await domain.close?.();
    await base[Symbol.asyncDispose]();
  }
}
