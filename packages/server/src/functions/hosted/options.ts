/** What the operations on hosted functions are given. */
import type { Clock } from '../../runtime/clock.ts';
import type { Store } from '../../store/contract.ts';
import type { CodeStore } from '../code/code-store.ts';
import type { Pool } from '../sandbox/pool.ts';
import type { RuntimeKind } from '../sandbox/runtimes.ts';
import type { FunctionHost } from './host.ts';

export interface HostedOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly code: CodeStore;
  readonly pool: Pick<Pool, 'retire'>;
  readonly host: Pick<FunctionHost, 'now' | 'later' | 'queue'>;
  /** Why a function can't be run here; undefined when it can. */
  readonly runtimeFault: (kind: RuntimeKind) => Promise<string | undefined>;
  /** Fails with AccessDeniedException when the role does not let Lambda use it; knows nothing of roles that are not here. */
  readonly checkRole: (accountId: string, roleArn: string) => Promise<void>;
  /** Removes archives that no record names any more; called after a change. */
  readonly tidyCode: () => Promise<void>;
  /** Base URL of the API. */
  readonly endpointUrl: () => string;
  /** Most events under way, all functions together. */
  readonly concurrency: number;
}
