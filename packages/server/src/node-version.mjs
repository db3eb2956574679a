/**
 * Ends the process with one line when Node.js is too old. Plain JavaScript of before 2020, since the oldest have to be able to
 * read it: `npm start` runs it before Node.js is given flags that older ones refuse, launch.mjs before the first file of
 * TypeScript.
 */
// biome-ignore lint/style/useNodejsImportProtocol: Node.js before 14.18 does not know it
import { existsSync } from 'fs';
// biome-ignore lint/style/useNodejsImportProtocol: as above
import { fileURLToPath } from 'url';

const MIN_NODE = 24;

/** The Node.js that `npm ci` has brought: of a checkout, or beside an installed package. */
const PLACES = ['../../../node_modules/.bin', '../../../.bin'];
const brought = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url))).filter((folder) =>
  existsSync(`${folder}/node`),
)[0];

if (Number(process.versions.node.split('.')[0]) < MIN_NODE) {
  const remedy =
    brought === undefined
      ? 'On Linux `npm ci` brings it; elsewhere: https://nodejs.org/en/download'
      : `There is one in ${brought}: put it first, export PATH="${brought}:$PATH"`;
  const { versions, execPath } = process;
  process.stderr.write(
    `thingkeep: Node.js ${MIN_NODE} or newer is needed, and this is ${versions.node} (${execPath}). ${remedy}\n`,
  );
  process.exit(1);
}
