/** For the registry's tests: a real store, the operations over it, a clock that a test moves. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { mayAnswer } from '@thingkeep/wire/api/error-codes.ts';
import { findOperation, shapeOf } from '@thingkeep/wire/api/table.ts';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import { type Authority, openAuthority } from '../authority/authority.ts';
import { followPermissions } from './permission-changes.ts';
import { ChangeFeed } from '../store/change-feed.ts';
import type { Changes } from '../store/changes.ts';
import { type RightsChange, RightsChanges } from '../policies/rights-changes.ts';
import { Background } from '../runtime/background.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { caCertificateOperations } from './ca-certificate-operations.ts';
import { caCertificateRegisteringOperations } from './ca-certificate-registering.ts';
import { certificateIssuingOperations } from './certificate-issuing.ts';
import { certificateOperations } from './certificate-operations.ts';
import { certificateRegisteringOperations } from './certificate-registering.ts';
import { endpointOperations } from './describe-endpoint.ts';
import { tagOperations, taggableRegistry } from './tag-operations.ts';
import { thingOperations } from './thing-operations.ts';
import { thingPrincipalOperations } from './thing-principal-operations.ts';
import { thingTypeOperations } from './thing-type-operations.ts';

export const MINUTE = 60_000;

export const caller: Caller = {
  accountId: '000000000000',
  region: 'us-east-1',
  arn: 'arn:aws:iam::000000000000:root',
  userId: '000000000000',
  sourceIp: '127.0.0.1',
  requestId: 'test',
};

/** The same server seen by another account. */
export const stranger: Caller = { ...caller, accountId: '111111111111' };

type Name = keyof IotOperations;

/** Members of an output that the model does not know. */
function unknownMembers(value: unknown, shapeName: string | undefined): string[] {
  if (typeof value !== 'object' || value === null || value instanceof Date) return [];
  if (shapeName === undefined) return Object.keys(value);
  const shape = shapeOf('iot', shapeName);
  if (Array.isArray(value)) return value.flatMap((each) => unknownMembers(each, shape.member));
  if (shape.type === 'map') return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const known = shape.members?.[name];
    return known === undefined ? [name] : unknownMembers(member, known.shape);
  });
}

export class Workbench implements AsyncDisposable {
  readonly store: Store;
  readonly clock: Clock & { at: number };
  readonly rings: RightsChange[] = [];
  readonly background: Background;
  readonly #handlers: Handlers<IotOperations>;

  private constructor(store: Store, changes: Changes, issuer: Authority, clock: Clock & { at: number }) {
    this.store = store;
    this.clock = clock;
    this.background = new Background(clock, { error: () => undefined });
    const rights = new RightsChanges();
    rights.on((change) => this.rings.push(change));
    followPermissions({ changes, inRegion: () => store, background: this.background, rights });
    this.#handlers = {
      ...certificateIssuingOperations({ store, clock, issuer }),
      ...certificateRegisteringOperations({ store, clock }),
      ...certificateOperations({ store, clock }),
      ...caCertificateRegisteringOperations({ store, clock }),
      ...caCertificateOperations({ store, clock }),
      ...thingOperations({ store, clock }),
      ...thingTypeOperations({ store, clock }),
      ...thingPrincipalOperations({ store }),
      ...tagOperations({ store, taggable: taggableRegistry }),
      ...endpointOperations({ endpoint: 'iot.example.com' }),
    };
  }

  static async open(): Promise<Workbench> {
    const clock = { at: Date.UTC(2026, 10, 20, 12), now: () => clock.at, monotonic: () => clock.at };
    const changes = new ChangeFeed({ store: await openSqliteStore({ path: ':memory:' }), log: console });
    const { store } = changes;
    return new Workbench(store, changes, await sharedAuthority(), clock);
  }

  async call<N extends Name>(
    name: N,
    input: IotOperations[N]['input'],
    as: Caller = caller,
  ): Promise<IotOperations[N]['output']> {
    const handler = this.#handlers[name];
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
    as: Caller = caller,
  ): Promise<void> {
    await assert.rejects(this.call(name, input, as), { code, message: words });
  }

  /** A fresh certificate, by its id and ARN. */
  async certificate(setAsActive = true): Promise<{ id: string; arn: string; pem: string }> {
    const {
      certificateId: id = '',
      certificateArn: arn = '',
      certificatePem: pem = '',
    } = await this.call('CreateCertificateFromCsr', {
      certificateSigningRequest: await sharedRequest(),
      setAsActive,
    });
    return { id, arn, pem };
  }

  /** Ids of the certificates rung for since last asked. */
  rung(): string[] {
    return this.rings.splice(0).flatMap((ring) => ring.certificateIds ?? 'all');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]();
  }
}

/** Making an authority takes a while; it keeps no state that tests could share by mistake. */
let authority: Promise<Authority> | undefined;
const sharedAuthority = (): Promise<Authority> => {
  authority ??= (async () => {
    const folder = await mkdtemp(join(tmpdir(), 'workbench-'));
    try {
      return await openAuthority({
        folder: join(folder, 'ca'),
        clock: { now: () => Date.UTC(2026, 10, 20, 12), monotonic: () => 0 },
        hostNames: [],
      });
    } finally {
      // Its keys are in memory now.
      await rm(folder, { recursive: true });
    }
  })();
  return authority;
};

const sharedRequest = async (): Promise<string> => {
  const { newEcKey, requestDer, requestPem } = await import('@thingkeep/x509/testing/requests.ts');
  request ??= requestPem(requestDer({ key: newEcKey() }));
  return request;
};
let request: string | undefined;
