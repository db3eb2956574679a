/**
 * What a device asks of its jobs (developer guide, page jobs-api): pending executions, the next one to start, one to be described
 * or updated. The same for both ways to ask, MQTT and HTTPS.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { type ThingRecord, things } from '../registry/store.ts';
import type { Clock } from '../runtime/clock.ts';
import { DISK_LOW } from '../runtime/disk-failure.ts';
import type { Disk } from '../runtime/disk-room.ts';
import type { ReadTransaction, Store } from '../store/contract.ts';
import { type DocumentUrls, hasUrls, type UrlDocument } from './document-urls.ts';
import { documentOf } from './read-document.ts';
import type { JobRateName, JobRates } from './job-rates.ts';
import type { JobUnit } from './job-unit.ts';
import type { JobWriter } from './job-writer.ts';
import { endExecution } from './lifecycle.ts';
import { detailsOf, type ExecutionState, type ExecutionSummary, executionStateOf, summaryOf } from './payloads.ts';
import { pendingExecutions } from './pending.ts';
import { isPending, type ReportedStatus } from './states.ts';
import { type JobExecutionRecord, findExecution } from './store.ts';
import { startedTimers, withStepTimer } from './timers.ts';

/** Why a request is refused, by the codes of page jobs-api. */
export type JobRejectionCode =
  | 'InvalidJson'
  | 'InvalidRequest'
  | 'InvalidStateTransition'
  | 'ResourceNotFound'
  | 'VersionMismatch'
  | 'TerminalStateReached'
  | 'InternalError'
  | 'RequestThrottled';

/** A request that is refused; `message` may be shown. */
export class JobRejection extends Error {
  override readonly name = 'JobRejection';
  readonly code: JobRejectionCode;
  /** What the execution is at, where that is why. */
  readonly executionState: ExecutionState | undefined;

  constructor(code: JobRejectionCode, message: string, executionState?: ExecutionState) {
    super(message);
    this.code = code;
    this.executionState = executionState;
  }
}

const reject = (code: JobRejectionCode, message: string, state?: ExecutionState): never => {
  throw new JobRejection(code, message, state);
};

export interface PendingExecutions {
  readonly inProgressJobs: ExecutionSummary[];
  readonly queuedJobs: ExecutionSummary[];
}

/** An execution with its document, where that was asked for. */
export interface DescribedExecution {
  readonly execution: ReturnType<typeof detailsOf>;
  readonly document: string | undefined;
}

export interface StartRequest {
  readonly statusDetails?: Readonly<Record<string, string>> | undefined;
  readonly stepTimeoutInMinutes?: number | undefined;
}

export interface DescribeRequest {
  readonly executionNumber?: number | undefined;
  readonly includeJobDocument?: boolean | undefined;
}

export interface JobExecutionReport extends StartRequest {
  readonly status: ReportedStatus;
  readonly expectedVersion?: number | undefined;
  readonly executionNumber?: number | undefined;
  readonly includeJobExecutionState?: boolean | undefined;
  readonly includeJobDocument?: boolean | undefined;
}

export interface ReportAnswer {
  readonly executionState?: ExecutionState | undefined;
  readonly document?: string | undefined;
}

/** Stands for the first pending execution. */
export const NEXT = '$next';
/** Executions that one answer lists at most: the answer has to fit into a message. */
const MAX_LISTED = 250;
/** Documents that are signed for one request, where another job becomes the next one each time. */
const MAX_SIGNED = 5;

export interface DeviceJobsOptions {
  readonly clock: Clock;
  /** While it is low no details of an execution that goes on grow; its end is stored. */
  readonly disk: Disk;
  readonly inRegion: (region: string) => Store;
  readonly writer: JobWriter;
  readonly urls: DocumentUrls;
  readonly rates: Pick<JobRates, 'admit'>;
}

/** The thing whose device asks: executions of one that had its name before are not its own. */
const askingThing = async (tx: ReadTransaction, { accountId }: Place, thingName: string): Promise<ThingRecord> =>
  (await tx.get(things, [accountId, thingName])) ?? reject('ResourceNotFound', `Thing ${thingName} not found`);

/** An execution as a transaction has read it, with its document where that is wanted. */
interface Found {
  readonly record: JobExecutionRecord;
  readonly document: UrlDocument | undefined;
}

/** A write that answers with a document whose URLs are not signed yet: nothing of it is kept. */
class UnsignedDocumentError extends Error {
  override readonly name = 'UnsignedDocumentError';
  readonly record: JobExecutionRecord;
  readonly document: UrlDocument;

  constructor(record: JobExecutionRecord, document: UrlDocument) {
    super('the URLs of the document are not signed yet');
    this.record = record;
    this.document = document;
  }
}

/** A job that was made anew under its id has another document, or another role. */
const signedKey = ({ jobId, executionNumber }: JobExecutionRecord, { text, presignedUrls }: UrlDocument): string =>
  JSON.stringify([jobId, executionNumber, text, presignedUrls]);

/** Documents of a thing's executions as the device gets them, signed outside of the write that answers with them. */
class SignedDocuments {
  readonly #texts = new Map<string, string | undefined>();

  add(record: JobExecutionRecord, document: UrlDocument, text: string | undefined): void {
    this.#texts.set(signedKey(record, document), text);
  }

  /** The text of a document; fails where its URLs are to be signed first. */
  textOf(record: JobExecutionRecord, document: UrlDocument | undefined): string | undefined {
    if (document === undefined || !hasUrls(document.text)) return document?.text;
    const key = signedKey(record, document);
    if (!this.#texts.has(key)) throw new UnsignedDocumentError(record, document);
    return this.#texts.get(key);
  }
}

const pendingOf = (tx: ReadTransaction, { accountId, thingName, thingId }: ThingRecord, limit: number) =>
  pendingExecutions(tx, accountId, thingName, limit, thingId);

/** The execution of this number, or the last one. */
async function executionOf(
  tx: ReadTransaction,
  { accountId, thingName, thingId }: ThingRecord,
  jobId: string,
  executionNumber: number | undefined,
): Promise<JobExecutionRecord> {
  const found = await findExecution(tx, [accountId, jobId, thingName], executionNumber);
  return found?.thingId === thingId
    ? found
    : reject('ResourceNotFound', `Job execution for thing ${thingName} and job ${jobId} not found`);
}

const lengthOf = (details: StartRequest['statusDetails'] = {}): number => JSON.stringify(details).length;

/** An execution that a device starts. */
async function startedExecution(unit: JobUnit, before: JobExecutionRecord): Promise<JobExecutionRecord> {
  const job = await unit.job(before.jobId);
  return { ...before, ...startedTimers(unit.now, job?.inProgressMinutes), startedAt: unit.now, status: 'IN_PROGRESS' };
}

export class DeviceJobs {
  readonly #options: DeviceJobsOptions;

  constructor(options: DeviceJobsOptions) {
    this.#options = options;
  }

  async pending(place: Place, thingName: string): Promise<PendingExecutions> {
    this.#admit(place, 'jobReads');
    return this.#read(place, async (tx) => {
      const thing = await askingThing(tx, place, thingName);
      const pending = await pendingOf(tx, thing, MAX_LISTED);
      const of = (status: string) => pending.filter((each) => each.status === status).map(summaryOf);
      return { inProgressJobs: of('IN_PROGRESS'), queuedJobs: of('QUEUED') };
    });
  }

  /** Starts the first pending execution; one that is in progress stays as it is. */
  async startNext(place: Place, thingName: string, request: StartRequest): Promise<DescribedExecution | undefined> {
    this.#admit(place, 'jobWrites');
    return this.#write(place, async (unit, signed) => {
      const { tx, now } = unit;
      const thing = await askingThing(tx, place, thingName);
      const [first] = await pendingOf(tx, thing, 1);
      if (first === undefined) return undefined;
      const document = signed.textOf(first, await documentOf(tx, first));
      if (first.status === 'IN_PROGRESS') return { execution: detailsOf(first, now), document };
      this.#refuseGrowth(first, request.statusDetails);
      const started = await startedExecution(unit, first);
      const after: JobExecutionRecord = {
        ...started,
        ...withStepTimer(started, now, request.stepTimeoutInMinutes),
        statusDetails: request.statusDetails ?? first.statusDetails,
        lastUpdatedAt: now,
        versionNumber: first.versionNumber + 1,
      };
      await unit.change(first, after);
      return { execution: detailsOf(after, now), document };
    });
  }

  /** An execution that has not ended; undefined where the next one is asked for and there is none. */
  async describe(
    place: Place,
    thingName: string,
    jobId: string,
    { executionNumber, includeJobDocument = true }: DescribeRequest,
  ): Promise<DescribedExecution | undefined> {
    this.#admit(place, 'jobReads');
    const found = await this.#read(place, async (tx): Promise<Found | undefined> => {
      const thing = await askingThing(tx, place, thingName);
      const record = jobId === NEXT ? (await pendingOf(tx, thing, 1))[0] : await executionOf(tx, thing, jobId, executionNumber);
      if (record === undefined) return undefined;
      if (!isPending(record.status)) reject('TerminalStateReached', `Job execution is in the terminal state ${record.status}`);
      return { record, document: includeJobDocument ? await documentOf(tx, record) : undefined };
    });
    return this.#described(place, found);
  }

  async update(place: Place, thingName: string, jobId: string, request: JobExecutionReport): Promise<ReportAnswer> {
    this.#admit(place, 'jobWrites');
    return this.#write(
      place,
      async (unit, signed) => {
        const thing = await askingThing(unit.tx, place, thingName);
        const before = await executionOf(unit.tx, thing, jobId, request.executionNumber);
        const { expectedVersion } = request;
        if (!isPending(before.status))
          reject(
            'InvalidStateTransition',
            `Job Execution status can not be updated from ${before.status} to ${request.status}`,
            executionStateOf(before),
          );
        if (expectedVersion !== undefined && expectedVersion !== before.versionNumber)
          reject(
            'VersionMismatch',
            `Expected version ${expectedVersion} but execution version is ${before.versionNumber}`,
            executionStateOf(before),
          );
        if (request.status === 'IN_PROGRESS') this.#refuseGrowth(before, request.statusDetails);
        const wanted = request.includeJobDocument === true ? await documentOf(unit.tx, before) : undefined;
        const document = signed.textOf(before, wanted);
        const after = await report(unit, before, request);
        return {
          executionState: request.includeJobExecutionState === true ? executionStateOf(after) : undefined,
          document,
        };
      },
      request.status !== 'IN_PROGRESS',
    );
  }

  async #described(place: Place, found: Found | undefined): Promise<DescribedExecution | undefined> {
    if (found === undefined) return undefined;
    return { execution: detailsOf(found.record, this.#options.clock.now()), document: await this.#resolved(place, found) };
  }

  /** The document with its URLs signed. */
  async #resolved(place: Place, { record, document }: Found): Promise<string | undefined> {
    if (document === undefined) return undefined;
    const resolved = await this.#options.urls.resolve(place, document, record);
    return (
      resolved ??
      reject(
        'InvalidRequest',
        `A presigned url of the job document of ${record.jobId} can not be signed with the role of the job`,
      )
    );
  }

  /**
   * Does a write that answers with a document. What has to be signed is signed before it: one that can't be changes nothing,
   * unless the write ends the execution, which needs no document.
   */
  async #write<R>(place: Place, work: (unit: JobUnit, signed: SignedDocuments) => Promise<R>, isEnd = false): Promise<R> {
    const signed = new SignedDocuments();
    for (let attempt = 1; attempt <= MAX_SIGNED; attempt += 1)
      try {
        return await this.#options.writer.write(place, (unit) => work(unit, signed));
      } catch (error) {
        // Another job may have become the next one while the document was signed.
        if (!(error instanceof UnsignedDocumentError)) throw error;
        const { record, document } = error;
        const text = isEnd
          ? await this.#options.urls.resolve(place, document, record)
          : await this.#resolved(place, { record, document });
        signed.add(record, document, text);
      }
    return reject('RequestThrottled', 'The next job has changed while its document was signed: try again');
  }

  #refuseGrowth({ statusDetails }: JobExecutionRecord, given: StartRequest['statusDetails']): void {
    if (given !== undefined && this.#options.disk.low && lengthOf(given) > lengthOf(statusDetails))
      reject('InternalError', DISK_LOW);
  }

  #admit(place: Place, name: JobRateName): void {
    if (!this.#options.rates.admit(place, name)) reject('RequestThrottled', 'Rate exceeded');
  }

  #read<R>({ region }: Place, work: (tx: ReadTransaction) => Promise<R>): Promise<R> {
    return this.#options.inRegion(region).read(work);
  }
}

/** Stores what a device reports of an execution that has not ended. */
async function report(
  unit: JobUnit,
  before: JobExecutionRecord,
  { status, statusDetails = before.statusDetails, stepTimeoutInMinutes }: JobExecutionReport,
): Promise<JobExecutionRecord> {
  if (status !== 'IN_PROGRESS') return endExecution(unit, before, { status, statusDetails });
  const started = before.status === 'QUEUED' ? await startedExecution(unit, before) : before;
  const after: JobExecutionRecord = {
    ...started,
    ...withStepTimer(started, unit.now, stepTimeoutInMinutes),
    statusDetails,
    lastUpdatedAt: unit.now,
    versionNumber: before.versionNumber + 1,
  };
  await unit.change(before, after);
  return after;
}
