/** Provisioning for tests: its operations, with those of the registry and of policies, over a store of their own. */
import assert from 'node:assert/strict';
import type { CallerPermissions } from '@thingkeep/wire/api/authorization.ts';
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { TopicAnswer } from '../broker/messaging.ts';
import type { FunctionInvoker } from '../functions/contract.ts';
import { FunctionError } from '../functions/contract.ts';
import { policyDomain } from '../policies/domain.ts';
import { provisioningDomain } from '../provisioning/domain.ts';
import { objectFault } from '../objects/contract.ts';
import { RegistrationReports } from '../provisioning/registration-reports.ts';
import type { FindRole } from '@thingkeep/wire/api/authorization.ts';
import type { Refusal } from '../refusals/refusals.ts';
import { registryDomain } from '../registry/domain.ts';
import { policyTags, policyTargets, principalFacts } from '../registry/policy-principals.ts';
import { packageDomain } from '../software-packages/domain.ts';
import type { Domain } from '../domain.ts';
import { DueWork } from '../store/due-work.ts';
import { defined } from '@thingkeep/wire/defined.ts';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import { openMemoryStore } from '../store/rerunning-store.fixture.ts';
import { sharedAuthority } from './authority-fixture.ts';
import { clockAt, OperationsFixture, rootOf, type TestClock, type TestStore } from './operations-fixture.ts';

export const ACCOUNT = '000000000000';
export const caller = rootOf(ACCOUNT);
export const ROLE = `arn:aws:iam::${ACCOUNT}:role/provisioning`;
/** A role that trusts another service. */
export const UNTRUSTING = `arn:aws:iam::${ACCOUNT}:role/untrusting`;

/** Who asks on a reserved topic; `clientId` null for a request that has come over no connection. */
export interface Asker {
  readonly clientId?: string | null;
  readonly principal?: string;
  readonly accountId?: string;
  readonly region?: string;
  readonly chain?: { readonly depth: number; readonly budget: { left: number } };
}

export interface TopicOutcome {
  readonly outcome: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly payload: Buffer;
  readonly to: string;
}

const matches = (pattern: string, topic: string): boolean =>
  new RegExp(`^${pattern.replaceAll('$', '\\$').replace(/\{\w+\}/g, '[^/]+')}$`).test(topic);

/** What is asked for, as `action resource`. */
export type Asked = string[];

/** Permissions that allow all but these actions. */
export const allBut = (denied: readonly string[], asked: Asked = []): CallerPermissions => ({
  decide: (action, resource) => {
    // A write that is run again asks the same once more.
    if (!asked.includes(`${action} ${resource}`)) asked.push(`${action} ${resource}`);
    return { effect: denied.includes(action) ? 'IMPLICIT_DENY' : 'ALLOWED' };
  },
});

export class ProvisioningFixture extends OperationsFixture {
  readonly clock: TestClock;
  readonly domain: Domain;
  readonly packages: Domain;
  /** What was written into shadows `$package`. */
  readonly reported: (readonly [thingName: string, reported: object])[] = [];
  readonly refusals: Refusal[] = [];
  readonly disk = { low: false };
  /** What the provisioning role may not do, and what it was asked for. */
  readonly denied: string[] = [];
  readonly asked: Asked = [];
  /** Inputs of bulk registration by their keys, and how many bytes come at once. */
  readonly inputs = new Map<string, string>();
  pieceSize = 1000;
  /** Inputs that are open. */
  openInputs = 0;
  readonly reports: RegistrationReports;
  /** What the function answers; it throws by default. */
  answer: FunctionInvoker['invoke'] = async () => {
    throw new FunctionError('unavailable', 'there is no function');
  };
  protected readonly handlers: Handlers<IotOperations>;

  private constructor(store: TestStore, clock: TestClock, issuer: Awaited<ReturnType<typeof sharedAuthority>>) {
    super(store, caller);
    this.clock = clock;
    const findRole: FindRole = async (_account, roleArn) => {
      if (roleArn === UNTRUSTING) throw new ThingkeepError('AccessDeniedException', 'it does not trust the service');
      return roleArn === ROLE ? allBut(this.denied, this.asked) : 'unknown-role';
    };
    const functions: FunctionInvoker = {
      invoke: (...call) => this.answer(...call),
      invokeLater: async () => undefined,
    };
    this.reports = new RegistrationReports({ clock, inRegion: () => store, apiUrl: () => 'http://here' });
    this.domain = provisioningDomain.open({
      ...{ clock, issuer, findRole, functions, tags: policyTags, inRegion: () => store },
      log: { error: () => undefined, warn: () => undefined } as never,
      isFunctionName: (name) => /^(?:arn:aws:lambda:|https?:)/.test(name),
      disk: this.disk,
      roleObjects: { open: async (_role, { key }, from) => this.#open(key, from) },
      reports: this.reports,
      refuse: (refusal) => this.refusals.push(refusal),
    });
    const context = { region: caller.region, store, taggable: {} };
    const registry = registryDomain.open({ clock, issuer, endpoint: 'iot.example.com', inRegion: () => store });
    const policies = policyDomain.open({ clock, tags: policyTags, targets: policyTargets, facts: principalFacts });
    this.packages = packageDomain.open({
      ...{ clock, findRole, tags: policyTags, inRegion: () => store },
      packageShadows: {
        report: async (_place, thingName, reported) => {
          this.reported.push([thingName, reported]);
          return undefined;
        },
      },
      roleObjects: { open: async () => objectFault('NoSuchKey', 'there are no objects') },
      refuse: (refusal) => this.refusals.push(refusal),
    });
    this.handlers = {
      ...registry.operations?.(context).iot,
      ...policies.operations?.(context).iot,
      ...this.packages.operations?.(context).iot,
      ...this.domain.operations?.(context).iot,
    };
  }

  static async open(): Promise<ProvisioningFixture> {
    return new ProvisioningFixture(await openMemoryStore(), clockAt(Date.UTC(2026, 10, 20, 12)), await sharedAuthority());
  }

  /** The lines of a report, as its link gives them. */
  async report(taskId: string, reportType: 'RESULTS' | 'ERRORS'): Promise<Record<string, unknown>[]> {
    const { resourceLinks: [link = ''] = [] } = await this.call('ListThingRegistrationTaskReports', { taskId, reportType });
    const content = await this.reports.open(link.slice(link.lastIndexOf('/') + 1));
    let text = '';
    for await (const bytes of content ?? []) text += Buffer.from(bytes).toString();
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  #open(key: string, from: number) {
    const bytes = Buffer.from(this.inputs.get(key) ?? objectFault('NoSuchKey', 'The specified key does not exist.'));
    if (from > 0 && from >= bytes.length) objectFault('ServiceUnavailable', 'InvalidRange: as S3 answers, behind its contract.');
    const { pieceSize } = this;
    async function* content(): AsyncGenerator<Uint8Array, void, undefined> {
      for (let at = from; at < bytes.length; at += pieceSize) yield bytes.subarray(at, at + pieceSize);
    }
    this.openInputs += 1;
    const close = (): void => {
      this.openInputs -= 1;
    };
    return { size: bytes.length, etag: `"${bytes.length}"`, lastModified: 0, content: content(), [Symbol.dispose]: close };
  }

  /** A request on a reserved topic, and the one answer: what follows the topic, its payload, and to whom it goes. */
  async ask(topic: string, body: object | string | Buffer = '', by: Asker = {}): Promise<TopicOutcome> {
    const service = (this.domain.topics ?? []).find(({ pattern }) => matches(pattern, topic));
    if (service === undefined) throw new TypeError(`nothing serves ${topic}`);
    const { clientId = 'device', principal = 'claim', chain, accountId = ACCOUNT, region = caller.region } = by;
    const place = { accountId, region };
    const payload =
      typeof body === 'string' ? Buffer.from(body) : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    const parts = { templateName: topic.split('/')[2] ?? '' };
    const requester = defined({ clientId: clientId === null ? undefined : clientId, principal, chain });
    const request = { place, topic, parts, payload, qos: 1, properties: undefined, requester };
    const served = await service.serve(request, () => assert.fail('answers are given'));
    const answers: TopicAnswer[] = [];
    for await (const each of served) answers.push(each);
    const [answer, ...more] = answers;
    if (answer === undefined || more.length > 0) return { outcome: 'none', body: {}, payload: Buffer.alloc(0), to: 'none' };
    const read: unknown = topic.endsWith('json') ? JSON.parse(answer.payload.toString()) : {};
    const outcome = answer.topic.slice(topic.length + 1);
    return { outcome, body: read as TopicOutcome['body'], payload: answer.payload, to: answer.to };
  }

  /** Does the due work whose time has come. */
  async doDueWork(): Promise<void> {
    await using work = await DueWork.open([this.domain, this.packages], {
      store: this.store,
      clock: this.clock,
      log: { error: () => undefined },
    });
    await work.tick();
  }

  /** RegisterThing with a template of these resources. */
  register(
    resources: object,
    parameters: Record<string, string> = {},
    as: Caller = caller,
  ): Promise<IotOperations['RegisterThing']['output']> {
    const declared = Object.fromEntries(Object.keys(parameters).map((name) => [name, { Type: 'String' }]));
    return this.call(
      'RegisterThing',
      { templateBody: JSON.stringify({ Parameters: declared, Resources: resources }), parameters },
      as,
    );
  }
}
