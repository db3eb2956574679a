/** `thingkit chip new`: a virtual chip in a file. */
import { CHIP_KINDS, makeVirtualChip } from '../virtual-chips/kinds.ts';
import type { Command } from './command.ts';

export const chipNewCommand: Command = {
  name: 'chip new',
  summary: 'Make a virtual chip, as it comes from its maker, in a file that is private like the chip.',
  flags: [
    { name: 'kind', value: 'KIND', what: 'the kind of chip', oneOf: CHIP_KINDS, isRequired: true },
    {
      name: 'state',
      value: 'FILE',
      what: "where the chip's state goes; it must not be there yet",
      isRequired: true,
      isPath: true,
    },
    { name: 'serial', value: 'HEX', what: 'its serial number; else a random one' },
  ],
  examples: ['thingkit chip new --kind atecc608 --state chip.json'],
  isWriting: true,
  async run(given) {
    const [kind, state] = [given.needed('kind'), given.needed('state')];
    const uri = `${kind}:virtual:${state}`;
    if (given.has('dry-run')) return { data: { dryRun: true, kind, state }, text: `would make an ${kind} in ${state}` };
    makeVirtualChip(kind, state, given.text('serial')?.toLowerCase());
    return { data: { kind, state, uri }, text: `made an ${kind} in ${state}; as an element it is ${uri}` };
  },
};
