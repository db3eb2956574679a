/** For tests of operations: callers, clocks, stores, recorded tags, and calls that are checked by AWS's model. */
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { mayAnswer } from '@thingkeep/wire/api/error-codes.ts';
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { findOperation, shapeOf } from '@thingkeep/wire/api/table.ts';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { PolicyTags } from '../policies/principals.ts';
import type { Clock } from '../runtime/clock.ts';
import type { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { openMemoryStore } from '../store/rerunning-store.fixture.ts';

/** The root of an account. */
export const rootOf = (accountId: string, region = 'us-east-1'): Caller => ({
  accountId,
  region,
  arn: `arn:aws:iam::${accountId}:root`,
  userId: accountId,
  sourceIp: '127.0.0.1',
  requestId: 'test',
});

export const caller = rootOf('123456789012');
/** Of another account. */
export const stranger = rootOf('210987654321');

export interface TestClock extends Clock {
  at: number;
}

/** A clock that a test moves. */
export function clockAt(at: number): TestClock {
  const clock = { at, now: () => clock.at, monotonic: () => clock.at };
  return clock;
}

/** A clock that is a second later each time it is asked, so that no two records are of the same time. */
export function tickingClock(start: number): Clock {
  let now = start;
  return { now: () => (now += 1000), monotonic: () => now };
}

export interface RecordedTags extends PolicyTags {
  /** Tags by ARN. */
  readonly tagged: Map<string, unknown>;
  /** `+` and the ARN of what was tagged, `-` and the ARN of what lost its tags, in order. */
  readonly changes: string[];
}

export function recordTags(): RecordedTags {
  const tagged = new Map<string, unknown>();
  const changes: string[] = [];
  // A write that is run again tells the same once more.
  const note = (change: string): void => {
    if (changes.at(-1) !== change) changes.push(change);
  };
  return {
    tagged,
    changes,
    put: async (_tx, _accountId, arn, given) => {
      tagged.set(arn, given);
      note(`+${arn}`);
    },
    remove: async (_tx, _accountId, arn) => {
      tagged.delete(arn);
      note(`-${arn}`);
    },
  };
}

export type TestStore = Awaited<ReturnType<typeof openSqliteStore>>;

/** Stores in memory, one at a time: the next closes the one before, the end of the tests the last one. */
export class TestStores {
  #current: TestStore | undefined;

  constructor() {
    after(() => this.#close());
  }

  async next(): Promise<TestStore> {
    await this.#close();
    this.#current = await openMemoryStore();
    return this.#current;
  }

  async #close(): Promise<void> {
    await this.#current?.[Symbol.asyncDispose]();
    this.#current = undefined;
  }
}

/** Members of an output that the model does not know. */
function unknownMembers(value: unknown, shapeName: string | undefined): string[] {
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof Uint8Array) return [];
  if (shapeName === undefined) return Object.keys(value);
  const shape = shapeOf('iot', shapeName);
  if (Array.isArray(value)) return value.flatMap((each) => unknownMembers(each, shape.member));
  if (shape.type === 'map') return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const known = shape.members?.[name];
    return known === undefined ? [name] : unknownMembers(member, known.shape);
  });
}

type Name = keyof IotOperations;

/** Operations over a store of their own, in memory. */
export abstract class OperationsFixture implements AsyncDisposable {
  readonly store: TestStore;
  protected readonly caller: Caller;
  protected abstract readonly handlers: Handlers<IotOperations>;

  protected constructor(store: TestStore, as: Caller = caller) {
    this.store = store;
    this.caller = as;
  }

  async call<N extends Name>(
    name: N,
    input: IotOperations[N]['input'],
    as: Caller = this.caller,
  ): Promise<IotOperations[N]['output']> {
    const handler = this.handlers[name];
    const operation = findOperation('iot', name);
    assert.ok(handler && operation, `no handler for ${name}`);
    try {
      const output = await handler(input, as);
      assert.deepEqual(unknownMembers(output, operation.output), [], name);
      return output;
    } catch (error) {
      // Clients know the errors that the model declares for the operation, and no others.
      if (error instanceof ThingkeepError) assert.ok(mayAnswer(operation, error.code), `${name} does not declare ${error.code}`);
      throw error;
    }
  }

  /** Makes sure that the call fails with this code and, if asked, these words. */
  async refuses<N extends Name>(
    code: string,
    name: N,
    input: IotOperations[N]['input'],
    words = /./,
    as: Caller = this.caller,
  ): Promise<void> {
    await assert.rejects(this.call(name, input, as), { code, message: words });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]();
  }
}
