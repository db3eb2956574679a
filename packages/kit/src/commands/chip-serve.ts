/** `thingkit chip serve`: a virtual chip behind a Unix socket, for drivers in other processes. */
import { existsSync } from 'node:fs';
import { serveChip } from '../virtual-chips/chip-server.ts';
import { CHIP_KINDS, kindOfVirtualChip, openVirtualChip } from '../virtual-chips/kinds.ts';
import { type Command, KitError } from './command.ts';

export const chipServeCommand: Command = {
  name: 'chip serve',
  summary: 'Put a virtual chip behind a Unix socket until it is interrupted; the protocol is in buses/socket-frames.ts.',
  flags: [
    { name: 'kind', value: 'KIND', what: 'the kind of chip that the file must hold', oneOf: CHIP_KINDS, isRequired: true },
    { name: 'state', value: 'FILE', what: "the chip's state, made by thingkit chip new", isRequired: true, isPath: true },
    { name: 'socket', value: 'PATH', what: 'where drivers connect; for this user alone', isRequired: true, isPath: true },
  ],
  examples: ['thingkit chip serve --kind atecc608 --state chip.json --socket chip.sock'],
  async run(given, { clock, say, signal }) {
    const [kind, state, socket] = [given.needed('kind'), given.needed('state'), given.needed('socket')];
    const found = kindOfVirtualChip(state);
    if (found !== kind) throw new KitError('usage', `${state} holds an ${found}, not an ${kind}`);
    if (existsSync(socket))
      throw new KitError('usage', `${socket} is there already`, { hint: 'another server has it, or left it: remove it then' });
    const { chip } = openVirtualChip(state);
    await using _ = await serveChip(chip, socket, clock);
    say(`${kind}:socket:${socket} answers until it is interrupted`);
    const { promise, resolve } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => resolve());
    if (!signal.aborted) await promise;
    return { data: { kind, state, socket }, text: '' };
  },
};
