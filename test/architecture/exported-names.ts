/** Checks that an exported name of the packages stands for one thing: one file declares it, others may export it anew. */
import { isTestMaterial, type Source } from './sources.ts';

const DECLARED = /^export (?:async |abstract |declare )*(?:const|let|function\*?|class|interface|type) (\w+)/gm;

export function nameFaults(sources: readonly Source[]): string[] {
  const places = new Map<string, Set<string>>();
  for (const { path, code } of sources) {
    if (!/^packages\/[^/]+\/src\//.test(path) || isTestMaterial(path)) continue;
    for (const [, name = ''] of code.matchAll(DECLARED)) places.set(name, (places.get(name) ?? new Set()).add(path));
  }
  return [...places]
    .filter(([, paths]) => paths.size > 1)
    .map(
      ([name, paths]) =>
        `${name} is exported by ${[...paths].join(' and ')}: one thing is declared once, and two things have two names`,
    );
}
