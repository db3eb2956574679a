/** Every part of the server, put together: a list of steps, each of which gets what those before it have opened. */
import { publishLostConnections } from './broker/lost-connections.ts';
import { openAccess } from './composition/access.ts';
import { openApi } from './composition/api.ts';
import { type CoreOptions, type CorePorts, openBase } from './composition/base.ts';
import { openDevices } from './composition/devices.ts';
import { openDomains } from './composition/domains.ts';
import { openFunctions } from './composition/functions.ts';
import { openListeners } from './composition/listeners.ts';
import { openMetrics } from './composition/metrics.ts';
import { openMessaging, openRuleParts } from './composition/messaging.ts';
import { openStorage } from './composition/storage.ts';
import { openTimers } from './composition/timers.ts';
import { ServedOperations } from './services.ts';

export type { CoreOptions } from './composition/base.ts';

export interface Core extends AsyncDisposable {
  readonly ports: CorePorts;
  /** For tests that move the clock: does what the timers do. */
  tick(): Promise<void>;
}

export async function openCore(options: CoreOptions): Promise<Core> {
  await using parts = new AsyncDisposableStack();
  const base = openBase(options, parts);
  const storage = await openStorage(base);
  const access = await openAccess(base, storage);
  const functions = await openFunctions(base, storage, access);
  const messaging = await openMessaging(base, storage, access);
  const served = new ServedOperations(storage.places.inRegion);
  const rules = await openRuleParts(base, storage, access, functions, messaging, served);
  const devices = openDevices(base, storage, access, functions, messaging, served);
  const domains = await openDomains(base, storage, access, functions, messaging, rules, devices, served);
  const api = openApi(base, storage, access, functions, rules, devices, served);
  await publishLostConnections(messaging.broker, devices.authentication.storedAuthorizer);
  openMetrics(base, storage, access, functions, messaging, rules, devices);
  const ports = await openListeners(base, storage, access, functions, messaging, devices, api);
  const tick = await openTimers(base, storage, messaging, domains);
  base.panic.arm();
  const open = parts.move();
  return { ports, tick, [Symbol.asyncDispose]: () => open.disposeAsync() };
}
