/** The services of the API: what all domains serve, merged, for each region when it is first asked for. */
import { fail } from '@thingkeep/wire/errors.ts';
import type { Services } from './api/dispatch.ts';
import type { JsonServices } from './api/json-services.ts';
import type { Domain, RegionContext, TaggableResources } from './domain.ts';
import type { Store } from './store/contract.ts';
import { perRegion } from './store/regional.ts';

export interface MergedServices {
  /** Services of the operation table. */
  readonly services: (region: string) => Services;
  readonly jsonServices: JsonServices;
}

/** Two domains serve an operation of one name. */
export class DomainConflict extends Error {
  override readonly name = 'DomainConflict';
}

/** Merges handlers by their names. */
function merge(all: readonly object[]): object {
  const merged: Record<string, unknown> = {};
  for (const handlers of all)
    for (const [name, handler] of Object.entries(handlers)) {
      if (Object.hasOwn(merged, name)) throw new DomainConflict(`two domains serve ${name}`);
      merged[name] = handler;
    }
  return merged;
}

/** The operations that are served: known to their users before the domains that serve them are. */
export class ServedOperations {
  readonly #inRegion: (region: string) => Store;
  #merged: MergedServices = {
    services: () => fail('ServiceUnavailableException', 'The server is starting.'),
    jsonServices: new Map(),
  };

  constructor(inRegion: (region: string) => Store) {
    this.#inRegion = inRegion;
  }

  /** Serves what these domains give. */
  serve(domains: readonly Domain[]): void {
    this.#merged = mergeServices(domains, this.#inRegion);
  }

  /** The services of the operation table in a region. */
  of(region: string): Services {
    return this.#merged.services(region);
  }

  get jsonServices(): JsonServices {
    return this.#merged.jsonServices;
  }
}

export function mergeServices(domains: readonly Domain[], inRegion: (region: string) => Store): MergedServices {
  const taggable: TaggableResources = Object.assign({}, ...domains.map((domain) => domain.taggable));
  const contextOf = perRegion((region): RegionContext => ({ region, store: inRegion(region), taggable }));
  const services = perRegion((region): Services => {
    const served = domains.map((domain) => domain.operations?.(contextOf(region)) ?? {});
    const of = (service: keyof Services): object => merge(served.map((each) => each[service] ?? {}));
    return {
      iot: of('iot'),
      'iot-data': of('iot-data'),
      'iot-jobs-data': of('iot-jobs-data'),
      lambda: of('lambda'),
    };
  });
  const jsonServices = domains.flatMap(({ json = {} }) =>
    Object.entries(json).map(([name, make]) => [name, perRegion((region) => make(contextOf(region)))] as const),
  );
  return { services, jsonServices: new Map(jsonServices) };
}
