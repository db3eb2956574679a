/** Jobs of a thing: the next one that is pending is begun, done and reported on, until there is none; then it waits for another. */
import { AgentError } from './agent-error.ts';
import type { DeviceConnection } from './device-connection.ts';
import { type JsonObject, requestOnTopic } from './topic-request.ts';

/** Names and values that the service keeps with an execution: ten at most, a value of 1,024 characters at most. */
export type StatusDetails = Readonly<Record<string, string>>;

export interface JobOutcome {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'REJECTED';
  readonly details: StatusDetails;
}

export interface JobExecution {
  readonly jobId: string;
  readonly document: unknown;
  /** Tells how far it is; a report that does not go through is left out. */
  progress(details: StatusDetails): Promise<void>;
}

export interface JobOptions {
  readonly thingName: string;
  readonly perform: (execution: JobExecution) => Promise<JobOutcome>;
  readonly onEnd?: (jobId: string, outcome: JobOutcome) => void;
  /** What could not be asked or reported; the agent goes on. */
  readonly onError?: (error: unknown) => void;
  readonly signal: AbortSignal;
}

const MAX_VALUE = 1_024;

/** Without what the service would refuse: control characters (`[^\\p{C}]`), empty values, and what is over its bounds. */
const bounded = (details: StatusDetails): StatusDetails =>
  Object.fromEntries(
    Object.entries(details)
      .map(
        ([name, value]) =>
          [
            name,
            value
              .replace(/\p{C}+/gu, ' ')
              .trim()
              .slice(-MAX_VALUE),
          ] as const,
      )
      .filter(([, value]) => value !== '')
      .slice(0, 10),
  );

/** Does jobs until `signal` is aborted. */
export class JobAgent {
  readonly #connection: DeviceConnection;
  readonly #options: JobOptions;
  #isWorking = false;
  #isAsked = false;

  private constructor(connection: DeviceConnection, options: JobOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** Begins. Throws AgentError where the notifications may not be subscribed to. */
  static async open(connection: DeviceConnection, options: JobOptions): Promise<JobAgent> {
    const agent = new JobAgent(connection, options);
    await connection.subscribe(`$aws/things/${options.thingName}/jobs/notify-next`, () => agent.#wake());
    const stop = connection.listen(({ kind }) => kind === 'connected' && agent.#wake());
    options.signal.addEventListener('abort', stop, { once: true });
    if (connection.isConnected) agent.#wake();
    return agent;
  }

  /** Another job may be there: one worker looks, and looks again when it was woken meanwhile. */
  #wake(): void {
    this.#isAsked = true;
    if (this.#isWorking) return;
    this.#isWorking = true;
    void this.#work()
      .catch((error: unknown) => this.#options.onError?.(error))
      .finally(() => {
        this.#isWorking = false;
      });
  }

  #ask(what: string, body: JsonObject): Promise<JsonObject> {
    return requestOnTopic(this.#connection, `$aws/things/${this.#options.thingName}/jobs/${what}`, body, { isSubscribed: false });
  }

  async #work(): Promise<void> {
    while (this.#isAsked && !this.#options.signal.aborted) {
      this.#isAsked = false;
      const { execution } = await this.#ask('start-next', {});
      if (execution === undefined) continue;
      await this.#perform(execution as JsonObject);
      this.#isAsked = true;
    }
  }

  async #perform({ jobId, jobDocument }: JsonObject): Promise<void> {
    if (typeof jobId !== 'string' || !/^[\w-]{1,64}$/.test(jobId)) throw new AgentError('content', 'a job has no id');
    const update = (status: string, details: StatusDetails): Promise<JsonObject> =>
      this.#ask(`${jobId}/update`, { status, statusDetails: bounded(details) });
    const outcome = await this.#options
      .perform({
        jobId,
        document: jobDocument,
        progress: async (details) => void (await update('IN_PROGRESS', details).catch(() => undefined)),
      })
      .catch((error: unknown): JobOutcome => ({ status: 'FAILED', details: { reason: (error as Error).message } }));
    // What was interrupted stays in progress, and is begun again by the next agent.
    if (this.#options.signal.aborted) return;
    await update(outcome.status, outcome.details);
    this.#options.onEnd?.(jobId, outcome);
  }
}
