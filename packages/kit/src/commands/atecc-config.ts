/** `thingkit atecc config`: the configuration zone of an ATECC, shown and written. */
import { AteccElement } from '../elements/atecc/atecc-element.ts';
import {
  addressOfConfiguration,
  CONFIGURATION_NAMES,
  configurationOn,
  nameOfConfiguration,
  writeConfiguration,
} from '../elements/atecc/configurations.ts';
import { locksOfConfig } from '../elements/atecc/locks.ts';
import { slotLines } from '../elements/atecc/slot-words.ts';
import { type Command, type Given, KitError, type Surroundings } from './command.ts';
import { ELEMENT_FLAGS, elementOf } from './element-flag.ts';

/** The element of a command, which has to be an ATECC. */
export async function ateccOf(given: Given, surroundings: Surroundings): Promise<AteccElement> {
  const element = await elementOf(given, surroundings);
  if (element instanceof AteccElement) return element;
  await element[Symbol.asyncDispose]();
  throw new KitError('usage', `the element is no ATECC but ${element.kind}`, { hint: 'such as --element atecc608:/dev/i2c-1' });
}

const inHex = (address: number): string => `0x${address.toString(16).padStart(2, '0')}`;

export const ateccConfigCommand: Command = {
  name: 'atecc config',
  summary: "Show an ATECC's configuration and what each slot is for, or write one of the known configurations.",
  flags: [
    ...ELEMENT_FLAGS,
    { name: 'write', value: 'NAME', what: 'the configuration to write; nothing is locked', oneOf: CONFIGURATION_NAMES },
  ],
  examples: [
    'thingkit atecc config --element atecc608:/dev/i2c-1',
    'thingkit atecc config --element atecc608:/dev/i2c-1 --write zero-touch',
  ],
  isWriting: true,
  async run(given, surroundings) {
    await using element = await ateccOf(given, surroundings);
    const present = await element.readObject('config');
    const name = CONFIGURATION_NAMES.find((each) => each === given.text('write'));
    if (name === undefined) {
      const known = nameOfConfiguration(present);
      const { config, data } = locksOfConfig(present);
      const head = [
        `configuration  ${known ?? 'none of the known ones'}`,
        `address        ${inHex(addressOfConfiguration(present))}`,
        `locked         configuration ${config ? 'yes' : 'no'}, data ${data ? 'yes' : 'no'}`,
      ];
      return {
        data: { hex: present.toString('hex'), name: known, address: addressOfConfiguration(present), isLocked: { config, data } },
        text: [...head, ...slotLines(present)].join('\n'),
      };
    }
    const config = configurationOn(name, present);
    const address = addressOfConfiguration(config);
    const data = { name, address, hex: config.toString('hex') };
    if (given.has('dry-run')) return { data: { dryRun: true, ...data }, text: `would write the configuration ${name}` };
    await element.exclusively((chip) => writeConfiguration(chip.link, chip.zones, config));
    return {
      data,
      text: `wrote the configuration ${name}, and read it back; the chip is at ?address=${inHex(address)}, and not locked yet`,
    };
  },
};
