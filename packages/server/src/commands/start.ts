/** `thingkeep start`: runs the server until a signal ends it. */
import { rmSync } from 'node:fs';
import { readConfig, readFlags } from '../config/config.ts';
import { openDataFolder } from '../config/data-folder.ts';
import { readEnvironment } from '../config/env.ts';
import { writePrivateFile } from '../config/private-file.ts';
import { openCore } from '../core.ts';
import { systemClock } from '../runtime/clock.ts';
import { standGuard } from '../runtime/last-guard.ts';
import { openLog } from '../runtime/log.ts';
import { sealJson } from '../runtime/sealed-json.ts';
import { becomeUser } from './become-user.ts';
import { checkFunctionNetwork } from './function-network.ts';

/** A second signal, or a shutdown that takes longer than this (ms), ends the process at once. */
const PATIENCE = 10_000;

const hostText = (address: string): string => (address.includes(':') ? `[${address}]` : address);

const signalled = (): Promise<string> =>
  new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT']) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1));
        resolve(signal);
      });
    }
  });

export async function start(args: readonly string[]): Promise<number> {
  const environment = readEnvironment();
  const config = readConfig(readFlags(args), environment);
  // Whatever is made from here on is the owner's alone, the data file and its log among it.
  process.umask(0o077);
  checkFunctionNetwork(config);
  const { apiPort, mqttPort, httpsPort } = config;
  const cgroups = await becomeUser({ ...config, ports: [apiPort, mqttPort, httpsPort] });
  const log = openLog(config.logLevel);
  const closed: string[] = [];
  const folder = openDataFolder(config.dataDir, { closed: (path) => closed.push(path) });
  for (const name of environment.unknown)
    log.warn({ event: 'unknown-variable', name }, 'an environment variable is not understood');
  const stop = signalled();
  const core = await openCore({ config, folder, clock: systemClock, log, cgroups });
  // From here on there are others to serve: what went wrong before ends the start.
  const leaveGuard = standGuard({ clock: systemClock, log });
  for (const path of closed)
    log.warn({ event: 'file-closed', path }, 'a file of the data folder could be read by others: it is closed now');
  const { api, mqtt, https, metrics } = core.ports;
  const url = `${config.apiTls ? 'https' : 'http'}://${hostText(reachable(config.bind))}:${api}`;
  try {
    writePrivateFile(folder.running, sealJson({ url, region: config.region, ports: core.ports, pid: process.pid }));
  } catch (error) {
    leaveGuard();
    await Promise.resolve(core[Symbol.asyncDispose]()).catch(() => undefined);
    throw error;
  }
  const at = hostText(config.bind);
  const metricsText =
    metrics === undefined ? '' : ` metrics http://${hostText(config.metricsBind?.host ?? '')}:${metrics}/metrics`;
  process.stdout.write(
    `Thingkeep is ready: api ${url} mqtt ${at}:${mqtt} https ${at}:${https}${metricsText} endpoint ${config.endpoint} data ${config.dataDir}\n`,
  );
  const signal = await stop;
  log.info({ event: 'stopping', signal }, 'stopping');
  const late = setTimeout(() => {
    log.error({ event: 'stopped-late' }, 'the shutdown took too long');
    process.exit(1);
  }, PATIENCE).unref();
  await core[Symbol.asyncDispose]();
  clearTimeout(late);
  leaveGuard();
  rmSync(folder.running, { force: true });
  log.info({ event: 'stopped' }, 'stopped');
  return 0;
}

/** An address that a client on this machine can connect to. */
const reachable = (bind: string): string => (bind === '0.0.0.0' || bind === '::' ? '127.0.0.1' : bind);
