/** Streams: files for devices over MQTT, as core takes them. */
import type { DomainEntry, TaggableResources } from '../domain.ts';
import type { RoleObjects } from '../objects/contract.ts';
import type { PolicyTags } from '../policies/principals.ts';
import type { FindRole } from '@thingkeep/wire/api/authorization.ts';
import type { Refusal } from '../refusals/refusals.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import type { Store } from '../store/contract.ts';
import { DeviceStreams } from './device-streams.ts';
import { deviceStreamTopics } from './device-streams.topics.ts';
import { FileParts } from './file-parts.ts';
import { streams } from './store.ts';
import { StreamFiles } from './stream-files.ts';
import { streamOperations, type StreamUser } from './streams.operations.ts';

export interface StreamDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly tags: PolicyTags;
  readonly findRole: FindRole;
  readonly roleObjects: RoleObjects;
  readonly streamUser: StreamUser;
  readonly inRegion: (region: string) => Store;
  readonly refuse: (refusal: Refusal) => void;
}

const taggable: TaggableResources = {
  stream: async (tx, accountId, name) => (await tx.get(streams, [accountId, name])) !== undefined,
};

export const streamDomain: DomainEntry<StreamDeps> = {
  collections: [streams],
  open: (deps) => {
    const files = new StreamFiles({ ...deps, parts: new FileParts(deps.clock) });
    return {
      name: 'streams',
      taggable,
      topics: deviceStreamTopics({ ...deps, devices: new DeviceStreams({ ...deps, files }) }),
      operations: ({ store }) => ({ iot: streamOperations({ ...deps, store }) }),
    };
  },
};
