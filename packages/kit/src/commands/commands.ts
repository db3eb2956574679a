/** All commands of `thingkit`, in the order of its help; each is a file of this folder. */
import { CA_COMMANDS } from './ca.ts';
import type { Command } from './command.ts';
import { csrCommand } from './csr.ts';

export const COMMANDS: readonly Command[] = [csrCommand, ...CA_COMMANDS];
