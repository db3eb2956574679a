/** All commands of `thingkit`, in the order of its help; each is a file of this folder. */
import { arduinoCsrCommand } from './arduino-csr.ts';
import { boardCommand } from './board.ts';
import { CA_COMMANDS } from './ca.ts';
import type { Command } from './command.ts';
import { csrCommand } from './csr.ts';
import { manifestCommand } from './manifest.ts';
import { provisionCommand } from './provision.ts';

export const COMMANDS: readonly Command[] = [
  csrCommand,
  ...CA_COMMANDS,
  provisionCommand,
  manifestCommand,
  boardCommand,
  arduinoCsrCommand,
];
