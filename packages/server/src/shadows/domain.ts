/** Device shadows, as core takes them. */
import type { Messaging } from '../broker/messaging.ts';
import type { DomainEntry } from '../domain.ts';
import type { Refusal } from '../refusals/refusals.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import type { Store } from '../store/contract.ts';
import { deletedShadows } from './deleted-shadows.ts';
import { shadowOperations } from './shadows.operations.ts';
import { shadowTopics } from './shadows.topics.ts';
import type { Shadows } from './shadows.ts';
import { shadowCounts, shadows } from './store.ts';

export interface ShadowDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly messaging: Messaging;
  readonly shadows: Shadows;
  readonly regions: () => Promise<readonly string[]>;
  readonly inRegion: (region: string) => Store;
  readonly refuse: (refusal: Refusal) => void;
}

export const shadowDomain: DomainEntry<ShadowDeps> = {
  collections: [shadowCounts, shadows],
  open: (deps) => ({
    name: 'shadows',
    topics: shadowTopics(deps),
    tasks: [deletedShadows(deps)],
    operations: () => ({ 'iot-data': shadowOperations(deps) }),
  }),
};
