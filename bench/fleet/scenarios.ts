/** The scenarios by name. */
import { connections } from './connections.ts';
import { devices } from './devices.ts';
import { durable } from './durable.ts';
import { firstSecond } from './first-second.ts';
import { halfOpenScenario } from './half-open.ts';
import { jobs } from './jobs.ts';
import { latency } from './latency.ts';
import { overload } from './overload.ts';
import { queue } from './queue.ts';
import { registrations } from './registrations.ts';
import { shadows } from './shadows.ts';
import { soak } from './soak.ts';
import { stalled } from './stalled.ts';
import { stop } from './stop.ts';
import type { Scenario } from './stage.ts';
import { storm } from './storm.ts';

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  devices,
  storm,
  durable,
  queue,
  overload,
  stalled,
  stop,
  'half-open': halfOpenScenario,
  latency,
  'first-second': firstSecond,
  connections,
  registrations,
  shadows,
  jobs,
  soak,
};
