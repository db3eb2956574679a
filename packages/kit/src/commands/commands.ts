/** All commands of `thingkit`, in the order of its help; each is a file of this folder. */
import { arduinoCsrCommand } from './arduino-csr.ts';
import { ateccConfigCommand } from './atecc-config.ts';
import { ateccLockCommand } from './atecc-lock.ts';
import { boardCommand } from './board.ts';
import { CA_COMMANDS } from './ca.ts';
import { certCompressCommand } from './cert-compress.ts';
import { certRebuildCommand } from './cert-rebuild.ts';
import { chipNewCommand } from './chip-new.ts';
import { chipServeCommand } from './chip-serve.ts';
import type { Command } from './command.ts';
import { csrCommand } from './csr.ts';
import { doctorCommand } from './doctor.ts';
import { generateKeyCommand, publicKeyCommand, randomCommand, signCommand } from './element-keys.ts';
import { readObjectCommand, writeObjectCommand } from './element-objects.ts';
import { elementShowCommand } from './element-show.ts';
import { manifestCommand } from './manifest.ts';
import { provisionCommand } from './provision.ts';
import { runCommand } from './run.ts';

export const COMMANDS: readonly Command[] = [
  elementShowCommand,
  randomCommand,
  generateKeyCommand,
  publicKeyCommand,
  signCommand,
  readObjectCommand,
  writeObjectCommand,
  ateccConfigCommand,
  ateccLockCommand,
  csrCommand,
  arduinoCsrCommand,
  ...CA_COMMANDS,
  provisionCommand,
  manifestCommand,
  certCompressCommand,
  certRebuildCommand,
  chipNewCommand,
  chipServeCommand,
  boardCommand,
  runCommand,
  doctorCommand,
];
