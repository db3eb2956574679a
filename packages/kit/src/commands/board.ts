/** `thingkit board serve`: a board of Microchip's Zero Touch kit behind a socket, for the kit's own programs. */
import { once } from 'node:events';
import { ZeroTouchBoard } from '../zero-touch/board.ts';
import { serveBoard } from '../zero-touch/board-server.ts';
import type { Command } from './command.ts';
import { ELEMENT_FLAGS, elementOf } from './element-flag.ts';

export const boardCommand: Command = {
  name: 'board serve',
  summary: `Be a board of Microchip's Zero Touch kit, until interrupted: its USB HID protocol over a Unix socket.
The kit's programs find it by the module hid of packages/kit/zero-touch.`,
  flags: [...ELEMENT_FLAGS, { name: 'socket', value: 'PATH', what: 'where it listens', isRequired: true, isPath: true }],
  examples: [
    'thingkit board serve --element "atecc608:virtual:chip.json?address=0x58" --socket board.sock',
    'THINGKIT_BOARD=board.sock PYTHONPATH=packages/kit/zero-touch python3 kit_provision.py',
  ],
  async run(given, surroundings) {
    await using element = await elementOf(given, surroundings);
    const path = given.needed('socket');
    await using _server = await serveBoard(new ZeroTouchBoard(element, surroundings.say), path);
    surroundings.say(`a board is behind ${path}`);
    if (!surroundings.signal.aborted) await once(surroundings.signal, 'abort');
    return { data: { socket: path }, text: '' };
  },
};
