/** Which calls of the API change something, and what the audit log has of them: no secret, and bounded. */
import { createHash } from 'node:crypto';
import type { Caller, Handler } from '@thingkeep/wire/api/handlers.ts';
import { fail, ThingkeepError } from '@thingkeep/wire/errors.ts';
import { DISK_LOW } from '../runtime/disk-failure.ts';
import type { Disk } from '../runtime/disk-room.ts';

type Call = Readonly<Record<string, unknown>>;
interface Result {
  readonly result: string;
}

/** What the API asks of the audit log. */
export interface Audit {
  /** Writes the line of a change that is about to be made; fails when it can't. Gives what writes the result. */
  begin(call: Call): (result: Result) => void;
  /** Writes the line of a change that its caller may not make. */
  refused(call: Call, result: Result): void;
  /** Fails when there is no room for what a call that changes nothing has to keep. */
  checkRoom?(operation: string, input: object): void;
}

/** Operations that read, by the first word of their name. */
const READS = /^(Get|List|Describe|Head|Search|Lookup|Filter|Simulate|Validate)(?=[A-Z]|$)/;
/** Names that begin like reads and hand out credentials, and the other way about. */
const CHANGES = new Set(['GetSessionToken', 'GetFederationToken', 'GetRegistrationCode']);
const ONLY_READ = new Set(['TestAuthorization']);
/** Messages, events, log lines, shadows and what devices report of jobs are data, not changes. */
const DATA = new Set([
  ...['Invoke', 'InvokeAsync', 'PutLogEvents', 'SendDirectMessage'],
  ...['StartNextPendingJobExecution', 'UpdateJobExecution', 'UpdateThingShadow', 'DeleteThingShadow'],
]);

export function isChange(operation: string, input: object): boolean {
  if (operation === 'Publish') return (input as { retain?: unknown }).retain === true;
  if (DATA.has(operation) || ONLY_READ.has(operation)) return false;
  return CHANGES.has(operation) || !READS.test(operation);
}

/** Operations that take something away, which a full disk needs. */
const FREES =
  /^(Delete|Detach|Remove|Deactivate|Disable|Cancel|Unregister|Untag|(Update(Certificate|CACertificate|AccessKey)|PostRootKeys)$)/;

/** Refuses changes while the disk is below its floor, but for those that free some of it or take permissions away. */
export const aboveFloor = (disk: Disk, audit: Audit): Audit => ({
  begin(call) {
    if (disk.low && !FREES.test(String(call.operation))) fail('ServiceUnavailableException', DISK_LOW);
    return audit.begin(call);
  },
  refused: audit.refused.bind(audit),
  checkRoom(operation, input) {
    if (disk.low && keepsData(operation, input)) fail('ServiceUnavailableException', DISK_LOW);
  },
});

/** Events for later and lines of logs are data that is kept. */
const keepsData = (operation: string, input: object): boolean =>
  operation === 'PutLogEvents' ||
  operation === 'InvokeAsync' ||
  (operation === 'Invoke' && (input as { InvocationType?: unknown }).InvocationType === 'Event');

/** Members of an input that name what is changed. */
const NAMING = /(name|profile|arn|id|path|target|principal|status|version|topic|qualifier|active|default|retain)$/i;
const SECRET = /(secret|password|token|key$|credential)/i;
const MAX_MEMBERS = 24;
const MAX_TEXT = 512;

function named(input: object): Record<string, string | number | boolean> {
  const found = Object.entries(input).filter(
    (member): member is [string, string | number | boolean] =>
      ['string', 'number', 'boolean'].includes(typeof member[1]) && NAMING.test(member[0]) && !SECRET.test(member[0]),
  );
  return Object.fromEntries(
    found.slice(0, MAX_MEMBERS).map(([name, value]) => [name, typeof value === 'string' ? value.slice(0, MAX_TEXT) : value]),
  );
}

export interface ApiChange {
  readonly caller: Caller;
  readonly accessKeyId: string;
  readonly service: string;
  readonly operation: string;
  readonly input: object;
  readonly body: Uint8Array;
}

/** Who, what and from where. The digest of the body tells documents apart that are not shown. */
export const changeMembers = ({ caller, accessKeyId, service, operation, input, body }: ApiChange): Record<string, unknown> => ({
  requestId: caller.requestId,
  principal: caller.arn,
  accessKeyId,
  accountId: caller.accountId,
  region: caller.region,
  sourceIp: caller.sourceIp,
  service,
  operation,
  input: named(input),
  bodySha256: createHash('sha256').update(body).digest('hex'),
});

/** The result of a call that has failed: AWS's name of the error. */
export const failureOf = (error: unknown): string => (error instanceof ThingkeepError ? error.code : 'InternalFailure');

/** The change that a request asks for, on its way into the audit log. */
export class AuditedChange {
  readonly #audit: Audit;
  readonly #call: Call;
  #end: ((result: Result) => void) | undefined;

  constructor(audit: Audit, call: Call) {
    this.#audit = audit;
    this.#call = call;
  }

  /** The caller may make the change, which comes next. Fails when it can't be written down. */
  begin(): void {
    this.#end = this.#audit.begin(this.#call);
  }

  /** `OK`, or the name of the error. */
  end(result: string): void {
    if (this.#end === undefined) this.#audit.refused(this.#call, { result });
    else this.#end({ result });
  }
}

const NO_BODY = new Uint8Array(0);
/** Devices are no callers of the API: what they change is in no line. */
const IAM_IDENTITY = /^arn:aws:(iam|sts):/;

/** Handlers of the data plane that the device port serves: what IAM identities change there is in the audit log too. */
export function auditHandlers<T extends object>(handlers: T, audit: Audit): T {
  const audited = Object.entries(handlers as Readonly<Record<string, Handler>>).map(([operation, handler]) => {
    const run: Handler = async (input, caller) => {
      if (!isChange(operation, input) || !IAM_IDENTITY.test(caller.arn)) return handler(input, caller);
      const call = changeMembers({ caller, accessKeyId: '', service: 'iot-data', operation, input, body: NO_BODY });
      const change = new AuditedChange(audit, call);
      change.begin();
      try {
        const output = await handler(input, caller);
        change.end('OK');
        return output;
      } catch (error) {
        change.end(failureOf(error));
        throw error;
      }
    };
    return [operation, run];
  });
  return Object.fromEntries(audited) as T;
}
