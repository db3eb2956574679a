#!/usr/bin/env node
/** The installed command of a checkout: plain JavaScript, since an old Node.js can't read what comes behind it. */
const MIN_NODE = 24;
if (Number(process.versions.node.split('.')[0]) < MIN_NODE) {
  process.stderr.write(
    `thingkit: Node.js ${MIN_NODE} or newer is needed, and this is ${process.versions.node} (${process.execPath}).\n`,
  );
  process.exit(1);
}
import('./main.ts');
