#!/usr/bin/env node
/** The `thingkit` command's first module. */
import { main } from './commands/command-line.ts';

process.exitCode = await main(process.argv.slice(2));
// Native threads of the device SDK outlive its clients; what was printed goes out first.
process.stdout.write('', () => process.exit());
