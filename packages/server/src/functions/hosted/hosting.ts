/** The host of functions, put together: processes, code, queue, and the operations over each region's records. */
import { join } from 'node:path';
import type { KeyValues } from '@thingkeep/wire/api/authorization.ts';
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { LambdaOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail, ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { RoleCredentialsOf } from '../../iam/role-credentials.ts';
import type { RolePermissionsOf } from '../../iam/role-permissions.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import type { Store } from '../../store/contract.ts';
import { pages } from '../../store/pages.ts';
import type { FunctionCalls } from '../function-figures.ts';
import { CodeFault, CodeStore } from '../code/code-store.ts';
import type { Cgroups } from '../sandbox/cgroups.ts';
import type { ApiShare } from '../../runtime/api-share.ts';
import type { ApiAddress } from '../sandbox/doors.ts';
import type { Enclosures } from '../sandbox/enclosure.ts';
import type { LogLine } from '../sandbox/output.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import { LAMBDA_SERVICE } from '@thingkeep/wire/service-principals.ts';
import { openEnclosures } from '../sandbox/open.ts';
import { type Deployable, type FunctionCredentials, type FunctionLogStream, Pool } from '../sandbox/pool.ts';
import type { SandboxDirectory } from '../sandbox/sandbox-directory.ts';
import { codeFault, FunctionHost } from './host.ts';
import { aliasOperations } from './aliases.operations.ts';
import { invocationOperations } from './invocations.operations.ts';
import { permissionOperations } from './permissions.operations.ts';
import { functionSettingOperations } from './settings.operations.ts';
import { functionUpdateOperations } from './function-updates.operations.ts';
import { functionOperations } from './functions.operations.ts';
import type { HostedOptions } from './options.ts';
import { functionArn, functions, versions } from './store.ts';
import { functionTagOperations } from './tags.operations.ts';

type ResourceKeysOf = (
  permission: { readonly action: string; readonly resource: string },
  place: Place,
  input: object,
) => Promise<KeyValues>;

export interface HostingOptions {
  readonly inRegion: (region: string) => Store;
  readonly regions: () => Promise<readonly string[]>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Folder of archives. */
  readonly codeFolder: string;
  readonly roleCredentials: RoleCredentialsOf;
  readonly rolePermissions: RolePermissionsOf;
  /** Condition keys of tags on what a permission is asked for. */
  readonly resourceKeys: ResourceKeysOf;
  /** Base URL of the API, as this machine reaches it. */
  readonly endpointUrl: () => string;
  /** What the API's certificate is signed by, where it has one. */
  readonly authorityPem?: string;
  readonly writeLog: (place: FunctionLogStream, lines: readonly LogLine[]) => void;
  /** Where this process reaches the API. */
  readonly apiAddress: () => ApiAddress;
  /** What functions may have of the API's connections. */
  readonly apiShare: ApiShare;
  readonly cgroups: Cgroups | undefined;
  /** What functions may reach: the API alone, or what this machine reaches but itself. */
  readonly network: 'api' | 'open';
  readonly allowUnconfined: boolean;
  readonly python: string;
  /** Most processes at a time. */
  readonly concurrency: number;
  /** Counts calls of functions here. */
  readonly calls: FunctionCalls;
}

const SHORTEST_SESSION = 900;

export class FunctionHosting implements AsyncDisposable {
  readonly host: FunctionHost;
  /** Writes into the log with whose rights functions run. */
  readonly announce: () => void;
  readonly #options: HostingOptions;
  readonly #code: CodeStore;
  readonly #directory: SandboxDirectory;
  readonly #enclosures: Enclosures;
  readonly #pool: Pool;
  #cleared: Promise<void> = Promise.resolve();

  private constructor(options: HostingOptions) {
    const { clock, log, inRegion, regions, writeLog, concurrency, calls } = options;
    this.#options = options;
    this.#code = new CodeStore(options.codeFolder);
    const { directory, enclosures, announce } = openEnclosures({ ...options, note: join(options.codeFolder, 'sandbox') });
    this.#directory = directory;
    this.#enclosures = enclosures;
    this.announce = announce;
    this.#pool = new Pool({
      clock,
      log,
      directory,
      enclosures,
      writeLog,
      most: concurrency,
      code: (digest) => this.#code.get(digest),
      credentials: this.#credentials.bind(this),
    });
    // Events for later leave room for those who wait for an answer.
    const mostLater = Math.max(1, concurrency >> 1);
    this.host = new FunctionHost({
      inRegion,
      regions,
      pool: this.#pool,
      clock,
      log,
      mostLater,
      calls,
      roleMayInvoke: this.#roleMayInvoke.bind(this),
    });
  }

  static async open(options: HostingOptions): Promise<FunctionHosting> {
    const hosting = new FunctionHosting(options);
    // What is left of another must not keep this one from its start, nor for long.
    hosting.#cleared = hosting.#directory
      .clearLeftovers()
      .catch((error: unknown) => options.log.error({ err: error }, 'what functions left could not be removed'));
    await hosting
      .#tidyCode()
      .catch((error: unknown) => options.log.error({ err: error }, 'archives of functions could not be tidied'));
    await hosting.host.queue.load();
    return hosting;
  }

  /** Handlers over one region's records. */
  operations(store: Store): Handlers<LambdaOperations> {
    const given: HostedOptions = {
      store,
      clock: this.#options.clock,
      code: this.#code,
      pool: this.#pool,
      host: this.host,
      runtimeFault: (kind) => this.#enclosures.fault(kind),
      checkRole: this.#checkRole.bind(this),
      tidyCode: this.#tidyCode.bind(this),
      endpointUrl: this.#options.endpointUrl,
      concurrency: this.#options.concurrency,
    };
    return {
      ...functionOperations(given),
      ...functionUpdateOperations(given),
      ...aliasOperations(given),
      ...permissionOperations(given),
      ...functionSettingOperations(given),
      ...functionTagOperations(given),
      ...invocationOperations(given),
    };
  }

  /** The archive that a link of GetFunction leads to; undefined when the link is none, or too old. `done` says that it was sent. */
  async archive(query: string, done: AbortSignal): Promise<Uint8Array | undefined> {
    try {
      return await this.#code.follow(query, this.#options.clock.now(), done);
    } catch (error) {
      if (error instanceof CodeFault) return codeFault(this.#options.log, error);
      throw error;
    }
  }

  /** Keeps archives from being removed until the returned function is called. */
  hold(): () => void {
    const release = this.#code.hold();
    return () => {
      release();
      void this.#tidyCode().catch((error: unknown) =>
        this.#options.log.error({ err: error }, 'archives of functions could not be tidied'),
      );
    };
  }

  tick(): void {
    this.host.queue.tick();
    this.#pool.sweep();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.host.queue.close();
    await this.#pool.close();
    await this.#cleared;
    await this.#directory
      .close()
      .catch((error: unknown) => this.#options.log.error({ err: error }, 'the folder of functions could not be removed'));
  }

  #session({ accountId, region, role, name }: Deployable, durationSeconds: number): Promise<FunctionCredentials | undefined> {
    const sourceArn = functionArn({ accountId, region }, name);
    return this.#options.roleCredentials({
      accountId,
      roleArn: role,
      service: LAMBDA_SERVICE,
      sessionName: name,
      durationSeconds,
      sourceArn,
    });
  }

  /** A role that no longer lets Lambda use it gives none: the function runs, and is told by what it calls. */
  async #credentials(of: Deployable, seconds: number): Promise<FunctionCredentials | undefined> {
    try {
      return await this.#session(of, seconds);
    } catch (error) {
      if (!(error instanceof ThingkeepError)) throw error;
      this.#options.log.warn({ event: 'function-role-refused', function: of.name, role: of.role }, error.message);
      return undefined;
    }
  }

  async #roleMayInvoke(accountId: string, roleArn: string, resource: string): Promise<boolean> {
    const permissions = await this.#options.rolePermissions(accountId, roleArn, LAMBDA_SERVICE);
    if (permissions === 'unknown-role') return false;
    const action = 'lambda:InvokeFunction';
    const [, , , region = ''] = resource.split(':');
    const tags = permissions.asksForResource
      ? await this.#options.resourceKeys({ action, resource }, { accountId, region }, {})
      : [];
    return permissions.decide(action, resource, tags).effect === 'ALLOWED';
  }

  async #checkRole(accountId: string, roleArn: string): Promise<void> {
    try {
      await this.#options.roleCredentials({
        accountId,
        roleArn,
        service: LAMBDA_SERVICE,
        sessionName: 'check',
        durationSeconds: SHORTEST_SESSION,
      });
    } catch (error) {
      if (!(error instanceof ThingkeepError)) throw error;
      fail('InvalidParameterValueException', 'The role defined for the function cannot be assumed by Lambda.');
    }
  }

  async #digestsOf(store: Store, digests: Set<string>): Promise<void> {
    for await (const { items } of pages(store, functions, { prefix: [] }))
      for (const { latest } of items) digests.add(latest.codeSha256);
    for await (const { items } of pages(store, versions, { prefix: [] }))
      for (const { settings } of items) digests.add(settings.codeSha256);
  }

  /** Removes archives that no version names any more. */
  #tidyCode(): Promise<void> {
    return this.#code.exclusively(async () => {
      const digests = new Set<string>();
      for (const region of await this.#options.regions()) await this.#digestsOf(this.#options.inRegion(region), digests);
      await this.#code.keepOnly(digests);
    });
  }
}
