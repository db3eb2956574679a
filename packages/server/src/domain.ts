/**
 * What a domain gives the server. A domain is a folder that keeps records of a kind and serves operations on them; its
 * `domain.ts` hands over, as data, all that has to be served, done again and again, loaded and ended. `domain-list.ts`
 * lists the domains; the server knows nothing else of them.
 */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type {
  IotDataOperations,
  IotJobsDataOperations,
  IotOperations,
  LambdaOperations,
} from '@thingkeep/wire/api/operation-types.ts';
import type { JsonObject } from '@thingkeep/wire/api/parse-json.ts';
import type { ResourceType } from '@thingkeep/wire/arn.ts';
import type { TopicService } from './broker/messaging.ts';
import type { Timer } from './runtime/timers.ts';
import type { ChangeSubscriber, DurableSubscription } from './store/changes.ts';
import type { Collection, ReadTransaction, Store } from './store/contract.ts';
import type { DueHandler, Task } from './store/due-work.ts';

/** Per type of resource that can carry tags: whether one of this name exists. */
export type TaggableResources = {
  readonly [T in ResourceType]?: (tx: ReadTransaction, accountId: string, name: string) => Promise<boolean>;
};

/** A service of AWS's JSON protocol, in one region. */
export interface JsonService {
  /** What stands before the dot of `X-Amz-Target`. */
  readonly target: string;
  /** Answered are those alone whose members `jsonMembers` knows. */
  readonly operations: Readonly<Record<string, (input: JsonObject, caller: Caller) => Promise<object>>>;
}

/** Operations of the operation table that a domain serves, by service. */
export interface DomainOperations {
  readonly iot?: Handlers<IotOperations>;
  readonly 'iot-data'?: Handlers<IotDataOperations>;
  readonly 'iot-jobs-data'?: Handlers<IotJobsDataOperations>;
  readonly lambda?: Handlers<LambdaOperations>;
}

/** One region, as the operations in it see it. */
export interface RegionContext {
  readonly region: string;
  /** The region's part of the store. */
  readonly store: Store;
  /** What can carry tags, of all domains. */
  readonly taggable: TaggableResources;
}

/** What the list of domains knows of one before there is a server. */
export interface DomainEntry<Deps> {
  /** Collections that it stores; the engine that opens the data file derives their indexes. */
  readonly collections: readonly Collection<never>[];
  /** What its durable subscribers follow: stored from the first write on. */
  readonly subscriptions?: readonly DurableSubscription[];
  /** Makes it of what the server gives to domains. */
  open(deps: Deps): Domain;
}

export interface Domain {
  readonly name: string;
  /** Operations in one region; asked for once, when the region is first used. */
  operations?(context: RegionContext): DomainOperations;
  /** Services of the JSON protocol, by the name that requests are signed for. */
  readonly json?: Readonly<Record<string, (context: RegionContext) => JsonService>>;
  /** Requests on reserved topics that the domain serves. */
  readonly topics?: readonly TopicService[];
  /** Resources of the domain that can carry tags. */
  readonly taggable?: TaggableResources;
  /** What this server does again and again. */
  readonly timers?: readonly Timer[];
  /** What one server of those that share the store does again and again. */
  readonly tasks?: readonly Task[];
  /** Who does work that was scheduled in the store. */
  readonly dueWork?: readonly DueHandler[];
  /** Durable subscribers to changes; they begin once all domains are loaded. */
  readonly subscribers?: readonly ChangeSubscriber[];
  /** Reads what is kept in memory; awaited before the first connection, in the order of the list. */
  load?(): Promise<void>;
  /** Ends what the domain does by itself; in the reverse order of the list, after the last connection. */
  close?(): void | Promise<void>;
}
