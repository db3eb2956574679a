/** What every step of the composition begins with: configuration, clock, log, and the order in which parts are taken down. */
import { AWS_REGIONS } from '@thingkeep/wire/regions.ts';
import type { Config } from '../config/config.ts';
import type { DataFolder } from '../config/data-folder.ts';
import { MetricSources } from '../admin/metrics/sources.ts';
import type { DomainEntry } from '../domain.ts';
import type { DomainParts } from '../domain-list.ts';
import type { HostingOptions } from '../functions/hosted/hosting.ts';
import type { ServerPorts } from '../gateway/wrong-port.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import { type Panic, panicOf } from '../runtime/panic.ts';

export interface CoreOptions {
  readonly config: Config;
  readonly folder: DataFolder;
  readonly clock: Clock;
  readonly log: Logger;
  /** Groups for functions; absent where the kernel gives none. */
  readonly cgroups?: HostingOptions['cgroups'];
  /** Domains beside those of the list: of tests. */
  readonly domains?: readonly DomainEntry<DomainParts>[];
}

export interface CorePorts {
  readonly api: number;
  readonly mqtt: number;
  readonly https: number;
  readonly metrics?: number;
}

/** Where the server listens: known only once it does, so that parts ask when they need it. */
export class ListeningPorts {
  #all: readonly number[] = [];
  #ports: ServerPorts;

  constructor({ apiPort, mqttPort, httpsPort, apiTls }: Config) {
    this.#ports = { api: apiPort, mqtt: mqttPort, https: httpsPort, apiTls };
  }

  /** As configured until they are open. */
  get ports(): ServerPorts {
    return this.#ports;
  }

  /** Port of the API; the configured one, which may be 0, until it is open. */
  get api(): number {
    return this.#ports.api;
  }

  get all(): readonly number[] {
    return this.#all;
  }

  opened(ports: CorePorts): void {
    this.#ports = { ...this.#ports, api: ports.api, mqtt: ports.mqtt, https: ports.https };
    this.#all = Object.values(ports);
  }
}

export interface CoreBase extends CoreOptions {
  readonly panic: Panic;
  readonly listening: ListeningPorts;
  /** What adds values at a scrape. */
  readonly metrics: MetricSources;
  /** Taken down in reverse. */
  readonly parts: AsyncDisposableStack;
}

export const openBase = (options: CoreOptions, parts: AsyncDisposableStack): CoreBase => ({
  ...options,
  panic: panicOf(options.log, options.folder.path),
  listening: new ListeningPorts(options.config),
  metrics: new MetricSources(options.log),
  parts,
});

/** Whether a region is served: AWS's own, the configured one, and those that hold data, whatever they are called. */
export function regionCheck(home: string, stored: readonly string[]): (name: string) => boolean {
  const regions = new Set([...AWS_REGIONS, home, ...stored]);
  return (name) => regions.has(name);
}
