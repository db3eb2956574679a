/**
 * A small reference of jobs, for a model-based test: what the developer guide says, as plain data, with everything done at once.
 * It shares no code with what it is compared to.
 */

type Status = 'QUEUED' | 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'REJECTED' | 'REMOVED' | 'CANCELED';

interface Execution {
  readonly jobId: string;
  readonly thing: string;
  readonly number: number;
  status: Status;
  version: number;
  queuedAt: number;
  deadline: number | undefined;
  /** Failures and timeouts that were tried again before. */
  readonly retried: { readonly FAILED: number; readonly TIMED_OUT: number };
  /** The thing has left the targets since. */
  hasLeft: boolean;
  /** The thing was deleted since: another one has its name. */
  isOfFormer: boolean;
}

export interface ModelJobInput {
  readonly jobId: string;
  readonly isContinuous: boolean;
  readonly things: readonly string[];
  readonly groups: readonly string[];
  readonly timeout: number | undefined;
  readonly retries: { readonly FAILED: number; readonly TIMED_OUT: number };
  /** Failures in percent, and ended executions, at which it is aborted. */
  readonly abort: { readonly percent: number; readonly least: number } | undefined;
}

interface Job extends ModelJobInput {
  status: 'IN_PROGRESS' | 'COMPLETED' | 'CANCELED';
  executions: Execution[];
}

const isPending = ({ status }: Execution): boolean => status === 'QUEUED' || status === 'IN_PROGRESS';

/** What a request of a device is answered. */
export type Outcome = 'accepted' | 'ResourceNotFound' | 'InvalidStateTransition' | 'VersionMismatch';

export class ReferenceJobs {
  now: number;
  readonly jobs = new Map<string, Job>();
  /** Members by group. */
  readonly members = new Map<string, Set<string>>();

  constructor(now: number, groups: readonly string[]) {
    this.now = now;
    for (const group of groups) this.members.set(group, new Set());
  }

  create(input: ModelJobInput): void {
    const job: Job = { ...input, status: 'IN_PROGRESS', executions: [] };
    this.jobs.set(input.jobId, job);
    for (const thing of this.#targets(job)) this.#queue(job, thing);
    this.#settle(job);
  }

  pending(thing: string): Execution[] {
    const rank = ({ status }: Execution): number => (status === 'IN_PROGRESS' ? 0 : 1);
    return [...this.jobs.values()]
      .flatMap(({ executions }) => executions.filter((each) => each.thing === thing && isPending(each)))
      .sort((a, b) => rank(a) - rank(b) || a.queuedAt - b.queuedAt || (a.jobId < b.jobId ? -1 : 1));
  }

  startNext(thing: string): Execution | undefined {
    const [first] = this.pending(thing);
    if (first?.status === 'QUEUED') this.#start(first);
    return first;
  }

  update(thing: string, jobId: string, status: 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'REJECTED', version?: number): Outcome {
    const execution = this.latest(jobId, thing);
    if (execution === undefined || execution.isOfFormer) return 'ResourceNotFound';
    if (!isPending(execution)) return 'InvalidStateTransition';
    if (version !== undefined && version !== execution.version) return 'VersionMismatch';
    if (status !== 'IN_PROGRESS') this.#end(execution, status);
    else if (execution.status === 'QUEUED') this.#start(execution);
    else execution.version += 1;
    return 'accepted';
  }

  cancelJob(jobId: string, force: boolean): boolean {
    const job = this.jobs.get(jobId);
    if (job?.status !== 'IN_PROGRESS') return false;
    this.#cancel(job, force);
    return true;
  }

  deleteJob(jobId: string, force: boolean): boolean {
    const job = this.jobs.get(jobId);
    if (job === undefined || (job.status === 'IN_PROGRESS' && !force)) return false;
    return this.jobs.delete(jobId);
  }

  cancelExecution(jobId: string, thing: string, force: boolean): boolean {
    const execution = this.latest(jobId, thing);
    if (execution === undefined || !isPending(execution)) return false;
    if (execution.status === 'IN_PROGRESS' && !force) return false;
    this.#end(execution, 'CANCELED');
    return true;
  }

  deleteExecution(jobId: string, thing: string, force: boolean): boolean {
    const execution = this.latest(jobId, thing);
    const job = this.jobs.get(jobId);
    if (job === undefined || execution === undefined || (isPending(execution) && !force)) return false;
    job.executions = job.executions.filter((each) => each !== execution);
    this.#settle(job);
    return true;
  }

  join(thing: string, group: string): void {
    this.members.get(group)?.add(thing);
    for (const job of this.#following(group)) {
      const latest = this.latest(job.jobId, thing);
      if (latest === undefined || latest.isOfFormer || latest.hasLeft || latest.status === 'REMOVED') this.#queue(job, thing);
    }
  }

  leave(thing: string, group: string): void {
    this.members.get(group)?.delete(thing);
    for (const job of this.#following(group)) {
      const latest = this.latest(job.jobId, thing);
      if (latest === undefined || this.#targets(job).has(thing)) continue;
      if (isPending(latest)) this.#end(latest, 'REMOVED');
      else latest.hasLeft = true;
    }
  }

  /** A thing is deleted, and another one made under its name. */
  replace(thing: string): void {
    for (const execution of this.pending(thing)) this.#end(execution, 'REMOVED');
    for (const group of this.members.keys()) if (this.members.get(group)?.has(thing) === true) this.leave(thing, group);
    for (const { executions } of this.jobs.values())
      for (const execution of executions) if (execution.thing === thing) execution.isOfFormer = true;
  }

  pass(milliseconds: number): void {
    this.now += milliseconds;
    for (const { executions } of [...this.jobs.values()])
      for (const execution of [...executions])
        if (execution.status === 'IN_PROGRESS' && execution.deadline !== undefined && execution.deadline <= this.now)
          this.#end(execution, 'TIMED_OUT');
  }

  latest(jobId: string, thing: string): Execution | undefined {
    return this.jobs.get(jobId)?.executions.findLast((each) => each.thing === thing);
  }

  #targets({ things, groups }: Job): ReadonlySet<string> {
    return new Set([...things, ...groups.flatMap((group) => [...(this.members.get(group) ?? [])])]);
  }

  #following(group: string): Job[] {
    return [...this.jobs.values()].filter(
      ({ isContinuous, status, groups }) => isContinuous && status === 'IN_PROGRESS' && groups.includes(group),
    );
  }

  #queue(job: Job, thing: string, retried = { FAILED: 0, TIMED_OUT: 0 }): void {
    const number = (this.latest(job.jobId, thing)?.number ?? 0) + 1;
    const known = { jobId: job.jobId, thing, number, queuedAt: this.now, deadline: undefined };
    job.executions.push({ ...known, status: 'QUEUED', version: 1, retried, hasLeft: false, isOfFormer: false });
  }

  #start(execution: Execution): void {
    const timeout = this.jobs.get(execution.jobId)?.timeout;
    execution.status = 'IN_PROGRESS';
    execution.version += 1;
    execution.deadline = timeout === undefined ? undefined : this.now + timeout;
  }

  #end(execution: Execution, status: Status): void {
    const job = this.jobs.get(execution.jobId);
    execution.status = status;
    execution.version += 1;
    if (job === undefined) return;
    if (job.status === 'IN_PROGRESS' && (status === 'FAILED' || status === 'TIMED_OUT')) {
      const used = execution.retried[status];
      if (used < job.retries[status]) this.#queue(job, execution.thing, { ...execution.retried, [status]: used + 1 });
    }
    this.#settle(job);
  }

  #settle(job: Job): void {
    if (job.status !== 'IN_PROGRESS') return;
    const ended = job.executions.filter((each) => !isPending(each));
    const failed = ended.filter(({ status }) => status === 'FAILED');
    const { abort } = job;
    const isAborted =
      abort !== undefined &&
      ended.length >= abort.least &&
      ended.length > 0 &&
      failed.length * 100 >= abort.percent * ended.length;
    if (isAborted) this.#cancel(job, false);
    else if (!job.isContinuous && !job.executions.some(isPending)) job.status = 'COMPLETED';
  }

  #cancel(job: Job, force: boolean): void {
    job.status = 'CANCELED';
    for (const execution of job.executions)
      if (execution.status === 'QUEUED' || (force && execution.status === 'IN_PROGRESS')) {
        execution.status = 'CANCELED';
        execution.version += 1;
      }
  }
}
