/**
 * Checks that an exported name stands for one thing in a program: one file declares it, others may export it anew, and no
 * file has a type of its own by the name of another's.
 */
import { isGenerated, isTestMaterial, type Source } from './sources.ts';

const EXPORTED = /^export (?:async |abstract |declare )*(?:const|let|function\*?|class|interface|type) (\w+)/gm;
const OWN_TYPE = /^(?:abstract |declare )*(?:class|interface|type) (\w+)/gm;

function namesIn(sources: readonly Source[], pattern: RegExp): ReadonlyMap<string, ReadonlySet<string>> {
  const places = new Map<string, Set<string>>();
  for (const { path, code } of sources)
    for (const [, name = ''] of code.matchAll(pattern)) places.set(name, (places.get(name) ?? new Set()).add(path));
  return places;
}

const MEND = 'one thing is declared once, and two things have two names';

/** Packages that one program is made of: no file sees a name of both programs. */
const PROGRAMS = [/^packages\/(?:server|wire|x509)\/src\//, /^packages\/(?:kit|x509)\/src\//];

export const nameFaults = (all: readonly Source[]): string[] => [
  ...new Set(PROGRAMS.flatMap((program) => faultsOfProgram(all.filter(({ path }) => program.test(path))))),
];

function faultsOfProgram(all: readonly Source[]): string[] {
  const sources = all.filter(({ path }) => !isTestMaterial(path) && !isGenerated(path));
  const exported = namesIn(sources, EXPORTED);
  const twice = [...exported]
    .filter(([, paths]) => paths.size > 1)
    .map(([name, paths]) => `${name} is exported by ${[...paths].join(' and ')}: ${MEND}`);
  const hidden = [...namesIn(sources, OWN_TYPE)].flatMap(([name, paths]) =>
    [...(exported.get(name) ?? [])].map(
      (path) => `${name} is exported by ${path}, and a type of ${[...paths].join(' and ')}: ${MEND}`,
    ),
  );
  return [...twice, ...hidden];
}
