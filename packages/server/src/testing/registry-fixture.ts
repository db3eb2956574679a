/** The registry for tests: its operations over a store of their own, with a clock that a test moves. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Authority } from '../authority/authority.ts';
import type { Domain } from '../domain.ts';
import { type PermissionChange, PermissionChanges } from '../policies/permission-changes.ts';
import { registryDomain } from '../registry/domain.ts';
import { type MembershipRecord, memberships } from '../registry/groups/store.ts';
import { followPermissions } from '../registry/follow-permissions.ts';
import { Background } from '../runtime/background.ts';
import { ChangeFeed } from '../store/change-feed.ts';
import { DueWork } from '../store/due-work.ts';
import { openMemoryStore } from '../store/rerunning-store.fixture.ts';
import { sharedAuthority, sharedRequest } from './authority-fixture.ts';
import { clockAt, OperationsFixture, rootOf, type TestClock, type TestStore } from './operations-fixture.ts';

export const MINUTE = 60_000;

export const caller = rootOf('000000000000');

/** The same server seen by another account. */
export const stranger = rootOf('111111111111');

export class RegistryFixture extends OperationsFixture {
  readonly clock: TestClock;
  readonly permissionChanges: PermissionChange[] = [];
  readonly background: Background;
  readonly feed: ChangeFeed;
  protected readonly handlers: Handlers<IotOperations>;
  readonly #domain: Domain;

  private constructor(store: TestStore, feed: ChangeFeed, issuer: Authority, clock: TestClock) {
    super(store, caller);
    this.clock = clock;
    this.background = new Background(clock, { error: () => undefined });
    const permissionChanges = new PermissionChanges();
    permissionChanges.on((change) => this.permissionChanges.push(change));
    this.feed = feed;
    followPermissions({ changes: feed, inRegion: () => store, background: this.background, permissionChanges });
    const domain = registryDomain.open({
      clock,
      issuer,
      endpoint: 'iot.example.com',
      inRegion: () => store,
    });
    const { taggable = {}, operations } = domain;
    this.#domain = domain;
    this.handlers = operations?.({ region: caller.region, store, taggable }).iot ?? {};
  }

  static async open(): Promise<RegistryFixture> {
    const feed = new ChangeFeed({ store: await openMemoryStore(), log: console });
    return new RegistryFixture(feed.store, feed, await sharedAuthority(), clockAt(Date.UTC(2026, 10, 20, 12)));
  }

  /** A fresh certificate, by its id and ARN. */
  async certificate(setAsActive = true): Promise<{ id: string; arn: string; pem: string }> {
    const {
      certificateId: id = '',
      certificateArn: arn = '',
      certificatePem: pem = '',
    } = await this.call('CreateCertificateFromCsr', {
      certificateSigningRequest: sharedRequest(),
      setAsActive,
    });
    return { id, arn, pem };
  }

  /** Does what is due: what deletions of groups have left to do. */
  async doDueWork(): Promise<void> {
    await using work = await DueWork.open([this.#domain], { store: this.store, clock: this.clock, log: console });
    await work.tick();
  }

  /** All memberships in thing groups, also those of groups that are gone. */
  async memberships(): Promise<MembershipRecord[]> {
    return (await this.store.read((tx) => tx.scan(memberships, { prefix: [] }))).items;
  }

  /** Ids of the certificates rung for since last asked. */
  rung(): string[] {
    return this.permissionChanges.splice(0).flatMap((ring) => ring.certificateIds ?? 'all');
  }
}
