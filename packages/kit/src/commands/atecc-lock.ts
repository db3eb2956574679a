/** `thingkit atecc lock`: locks a zone or a slot of an ATECC, for good. */
import { configurationOn, CONFIGURATION_NAMES } from '../elements/atecc/configurations.ts';
import { ateccOf } from './atecc-config.ts';
import { type Command, KitError } from './command.ts';
import { ELEMENT_FLAGS } from './element-flag.ts';

const ZONES = ['config', 'data', 'slot'] as const;

export const ateccLockCommand: Command = {
  name: 'atecc lock',
  summary: 'Lock a zone or a slot of an ATECC. No lock can be opened again.',
  flags: [
    ...ELEMENT_FLAGS,
    { name: 'zone', value: 'ZONE', what: 'what is locked; the configuration comes first', oneOf: ZONES, isRequired: true },
    { name: 'slot', value: 'NUMBER', what: 'the slot, with --zone slot' },
    { name: 'expect', value: 'NAME', what: 'lock only where the chip has this configuration', oneOf: CONFIGURATION_NAMES },
    { name: 'confirm', what: 'it stays locked for good, and that is wanted' },
  ],
  examples: [
    'thingkit atecc lock --element atecc608:/dev/i2c-1 --zone config --expect zero-touch --dry-run',
    'thingkit atecc lock --element atecc608:/dev/i2c-1 --zone config --expect zero-touch --confirm',
  ],
  isWriting: true,
  async run(given, surroundings) {
    const zone = given.needed('zone') as (typeof ZONES)[number];
    const slot = given.number('slot', -1, { least: 0, most: 15 });
    if ((zone === 'slot') !== slot >= 0) throw new KitError('usage', '--slot goes with --zone slot, and is needed there');
    await using element = await ateccOf(given, surroundings);
    const { serialNumber } = await element.identify();
    const part = zone === 'slot' ? String(slot) : zone;
    const isLocked = (await element.lockState()).parts.find(({ name }) => name === part)?.isLocked ?? false;
    const what = `${zone === 'slot' ? `slot ${slot}` : `the ${zone} zone`} of chip ${serialNumber}`;
    const data = { zone, ...(zone === 'slot' && { slot }), serialNumber };
    if (isLocked) return { data: { ...data, wasLocked: true }, text: `${what} is locked already` };
    if (given.has('dry-run')) return { data: { dryRun: true, ...data }, text: `would lock ${what}, for good` };
    if (!given.has('confirm'))
      throw new KitError('usage', `--confirm is missing: ${what} would be locked for good`, { hint: '--dry-run only looks' });
    const expected = CONFIGURATION_NAMES.find((name) => name === given.text('expect'));
    await element.exclusively(async ({ zones, locks }) => {
      const wanted = expected === undefined ? undefined : configurationOn(expected, await zones.readConfig());
      if (zone === 'config') await locks.lockConfig('for-good', wanted);
      else if (zone === 'data') await locks.lockData('for-good');
      else await locks.lockSlot(slot, 'for-good');
    });
    return { data: { ...data, wasLocked: false }, text: `locked ${what}` };
  },
};
