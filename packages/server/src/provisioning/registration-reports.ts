/** Reports of registration tasks: links that are good for an hour, and what is behind them, line by line. */
import { randomBytes } from 'node:crypto';
import type { Place } from '@thingkeep/wire/arn.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store } from '../store/contract.ts';
import { registrationErrors, registrationResults, registrationTasks } from './registration-tasks.ts';

export type ReportType = 'ERRORS' | 'RESULTS';

/** Milliseconds. */
const LINK_LASTS = 3_600_000;
/** Links of an account that are good at a time; its oldest go first. They go with the process. */
const MAX_LINKS = 100;
/** What is read of a report at once. */
const PAGE = { rows: 200, bytes: 1024 * 1024 };

interface ReportLink extends Place {
  readonly taskId: string;
  readonly type: ReportType;
  readonly until: number;
}

export interface RegistrationReportsOptions {
  readonly clock: Clock;
  readonly inRegion: (region: string) => Store;
  /** URL of the API, without a slash at its end. */
  readonly apiUrl: () => string;
}

/** Path below which links are followed. */
export const REPORTS = '/thing-registration-reports/';

export class RegistrationReports {
  readonly #options: RegistrationReportsOptions;
  readonly #links = new Map<string, ReportLink>();

  constructor(options: RegistrationReportsOptions) {
    this.#options = options;
  }

  /** A link to a report, for everybody who has it. */
  link(place: Place, taskId: string, type: ReportType): string {
    const token = randomBytes(32).toString('base64url');
    const { region, accountId } = place;
    this.#links.set(token, { region, accountId, taskId, type, until: this.#options.clock.now() + LINK_LASTS });
    const own = [...this.#links].filter(([, each]) => each.accountId === accountId);
    for (const [old] of own.slice(0, -MAX_LINKS)) this.#links.delete(old);
    return `${this.#options.apiUrl()}${REPORTS}${token}`;
  }

  /** The lines of the report behind a link; undefined for one that is not good any more. */
  async open(token: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const link = this.#links.get(token);
    if (link === undefined || link.until < this.#options.clock.now()) return undefined;
    const { region, accountId, taskId, type } = link;
    const store = this.#options.inRegion(region);
    const task = await store.read((tx) => tx.get(registrationTasks, [accountId, taskId]));
    return task === undefined ? undefined : lines(store, task.owner, type);
  }
}

async function* lines(store: Store, owner: number, type: ReportType): AsyncGenerator<Uint8Array, void, undefined> {
  const of = type === 'RESULTS' ? registrationResults : registrationErrors;
  for (let after = 0; ; ) {
    const from = after;
    const page = await store.read((tx) => tx.scanRows(of, owner, { after: from, ...PAGE }));
    const last = page.at(-1);
    if (last === undefined) return;
    yield Buffer.concat(page.map(({ value }) => value));
    after = last.at;
  }
}
