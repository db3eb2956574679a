#!/usr/bin/env node
/** What the wrapper openssl-front/openssl starts: plain JavaScript, since an old Node.js can't read what comes behind it. */
const MIN_NODE = 24;
if (Number(process.versions.node.split('.')[0]) < MIN_NODE) {
  process.stderr.write(`openssl: Node.js ${MIN_NODE} or newer is needed, and this is ${process.versions.node}.\n`);
  process.exit(1);
}
import('./run-tool.ts').then(({ runTool }) => runTool('openssl', process.argv.slice(2)));
