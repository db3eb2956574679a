/**
 * What the server stands, one scenario at a time; exit code 1 when a bound is broken.
 *   node bench/fleet.ts NAME [--scale 1] [--minutes 120] [--out bench]   (minutes of the soak, and the folder for its plot)
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { figure, isKept, table } from './fleet/figures.ts';
import { SCENARIOS } from './fleet/scenarios.ts';
import { type Given, type Scenario, Stage } from './fleet/stage.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    scale: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '120' },
    out: { type: 'string', default: import.meta.dirname },
  },
});

const given: Given = {
  scale: Number(values.scale),
  minutes: Number(values.minutes),
  out: values.out,
  say: (text) => void process.stderr.write(`${text}\n`),
};

const usage = (): string =>
  `node bench/fleet.ts NAME [--scale 1] [--minutes 120] [--out bench]\n${Object.entries(SCENARIOS)
    .map(([name, { about }]) => `  ${name.padEnd(12)}${about}\n`)
    .join('')}`;

/** Says whether every bound was kept. */
async function play(name: string, scenario: Scenario): Promise<boolean> {
  // What others do on the machine: a figure that was measured beside much else says little.
  const [load = 0] = loadavg();
  await using stage = await Stage.open(scenario.stage(given));
  const figures = [
    ...(await scenario.run(stage, given)),
    stage.errors(),
    figure('load of the machine before it', load, 'processes, mean of a minute'),
  ];
  process.stdout.write(`${name}, scale ${given.scale}: ${scenario.about}\n${table(figures)}`);
  for (const line of stage.errorLines().slice(0, 5)) given.say(line);
  return figures.every(isKept);
}

// Ends through the exit event, which takes the server and the helpers along.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const [name = ''] = positionals;
const scenario = Object.hasOwn(SCENARIOS, name) ? SCENARIOS[name] : undefined;
if (scenario === undefined || !(given.scale > 0) || !(given.minutes > 0)) {
  process.stderr.write(usage());
  process.exit(2);
}
// Sockets of the load may be in any state by now: nothing of this process is needed any more.
process.exit((await play(name, scenario)) ? 0 : 1);
