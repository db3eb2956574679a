/**
 * Checks the picture of floors in ARCHITECTURE.md against the rules of imports: every folder is on one floor, and none imports
 * from above.
 */
import { folderOf } from './checks.ts';
import { SERVER_FOLDERS } from './import-rules.ts';

const FLOOR = /^ *(\d*) *│[^│]*│([^│]*)│$/gm;

/** The floor of each folder in the picture; a line without a number goes on with the floor of the line before. */
function floorsOf(text: string): readonly (readonly [folder: string, floor: number])[] {
  let floor = 0;
  return [...text.matchAll(FLOOR)].flatMap(([, number = '', folders = '']) => {
    if (number !== '') floor = Number(number);
    const here = floor;
    return (folders.match(/\S+/g) ?? []).map((folder) => [folder, here] as const);
  });
}

export function floorFaults(text: string): string[] {
  const listed = floorsOf(text);
  const floors = new Map(listed);
  const names = listed.map(([folder]) => folder);
  return [
    ...names
      .filter((name, index) => names.indexOf(name) !== index || SERVER_FOLDERS[name] === undefined)
      .map((name) => `the picture of floors has ${name} twice, or the rules of imports do not have it`),
    ...Object.entries(SERVER_FOLDERS).flatMap(([name, { may }]) => {
      const own = floors.get(name);
      if (own === undefined) return [`${name} is on no floor of the picture in ARCHITECTURE.md`];
      return may
        .filter((path) => (floors.get(folderOf(path) ?? path) ?? own) > own)
        .map((path) => `${name} is on floor ${own} and imports ${path}, which is above it`);
    }),
  ];
}
