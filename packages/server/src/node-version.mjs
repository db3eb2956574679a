/**
 * Ends the process with one line when Node.js is too old. Plain JavaScript of before 2020, since the oldest have to be able to read it:
 * `npm start` runs it before Node.js is given flags that older ones refuse, launch.mjs before the first file of TypeScript.
 */
const LEAST = 24;

if (Number(process.versions.node.split('.')[0]) < LEAST) {
  process.stderr.write(
    'thingkeep: Node.js ' +
      LEAST +
      ' or newer is needed, and this is ' +
      process.versions.node +
      ' (' +
      process.execPath +
      '). On Linux `npm ci` brings it; elsewhere: https://nodejs.org/en/download\n',
  );
  process.exit(1);
}
