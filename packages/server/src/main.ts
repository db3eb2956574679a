#!/usr/bin/env node
/**
 * The `thingkeep` command's first module: looks at the version of Node.js before anything is read that an older one can't read.
 * Nothing but an import() may follow, and no syntax of TypeScript stand here.
 */
import './node-version.mjs';

const { main } = await import('./commands/command-line.ts');
process.exitCode = await main(process.argv.slice(2));
