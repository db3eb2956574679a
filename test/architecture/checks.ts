/** Checks over sources; each gives the faults it found, a sentence each. */
import { isGenerated, isTestMaterial, type Source } from './sources.ts';
import { ANY_DOMAIN } from './folder-rule.ts';
import { type FolderRule, SERVER_FOLDERS, WIRE_TYPES } from './import-rules.ts';
import { KIT_FOLDERS } from './import-rules-kit.ts';
import { RESERVED } from './reserved.ts';

const SERVER = 'packages/server/src/';
const WIRE = 'packages/wire/src/';
const X509 = 'packages/x509/src/';
const KIT = 'packages/kit/src/';

/** Sources that the arrows bind: those of packages, tests and their material apart. */
const bound = (sources: readonly Source[]): Source[] =>
  sources.filter(({ path }) => path.startsWith('packages/') && !isTestMaterial(path));

const folderIn = (folders: Readonly<Record<string, FolderRule>>, path: string): string | undefined =>
  Object.keys(folders)
    .filter((name) => path.startsWith(name))
    .sort((a, b) => b.length - a.length)[0];

/** The folder of a path under packages/server/src. */
export const folderOf = (path: string): string | undefined => folderIn(SERVER_FOLDERS, path);

function wireFaults({ path, imports }: Source): string[] {
  return imports
    .filter(({ target, specifier, typeOnly }) => !target?.startsWith(WIRE) && !(typeOnly && WIRE_TYPES.includes(specifier)))
    .map(({ specifier }) => `${path} imports ${specifier}: wire imports nothing but itself, and types of the AWS SDK`);
}

function x509Faults({ path, imports }: Source): string[] {
  return imports
    .filter(({ target, specifier }) => !target?.startsWith(X509) && specifier !== 'node:crypto')
    .map(({ specifier }) => `${path} imports ${specifier}: x509 imports nothing but itself and node:crypto`);
}

function mayImport(name: string, { may, node, packages }: FolderRule, target: string | undefined, specifier: string): boolean {
  if (target?.startsWith(WIRE)) return true;
  if (target?.startsWith(X509)) return packages.includes('@thingkeep/x509');
  if (target?.startsWith(SERVER)) {
    const path = target.slice(SERVER.length);
    const there = folderOf(path);
    if (there === name) return true;
    // `store/` is the contract's folder, not the engines below it.
    if (may.includes(ANY_DOMAIN) && path.endsWith('/domain.ts')) return true;
    return may.some((allowed) => path === allowed || (allowed === there && allowed.endsWith('/')));
  }
  if (specifier.startsWith('node:')) return node.includes(specifier.slice('node:'.length));
  return target === undefined && packages.includes(specifier);
}

function kitFaults({ path, imports }: Source): string[] {
  const name = folderIn(KIT_FOLDERS, path.slice(KIT.length));
  const rule = name === undefined ? undefined : KIT_FOLDERS[name];
  if (name === undefined || rule === undefined)
    return [
      `${path} is in no folder of test/architecture/import-rules-kit.ts: give its folder a row, and ARCHITECTURE.md a word`,
    ];
  const mayUse = (target: string | undefined, specifier: string): boolean => {
    if (target?.startsWith(X509)) return rule.packages.includes('@thingkeep/x509');
    if (target?.startsWith(KIT)) {
      const there = target.slice(KIT.length);
      const folder = folderIn(KIT_FOLDERS, there);
      return folder === name || rule.may.some((allowed) => allowed === there || allowed === folder);
    }
    if (specifier.startsWith('node:')) return rule.node.includes(specifier.slice('node:'.length));
    return target === undefined && rule.packages.some((each) => specifier === each || specifier.startsWith(`${each}/`));
  };
  return imports
    .filter(({ target, specifier }) => !mayUse(target, specifier))
    .map(
      ({ target, specifier }) =>
        `${path} imports ${target ?? specifier}, against the arrows: ${rule.invariant}; where it may, add it to the row of ${name} in test/architecture/import-rules-kit.ts`,
    );
}

const faultOfImport = (path: string, imported: string, folder: string, { invariant }: FolderRule): string =>
  `${path} imports ${imported}, against the arrows: ${invariant}; where it may, add it to the row of ${folder} in test/architecture/import-rules.ts`;

function serverFaults({ path, imports }: Source): string[] {
  const name = folderOf(path.slice(SERVER.length));
  const rule = name === undefined ? undefined : SERVER_FOLDERS[name];
  if (name === undefined || rule === undefined)
    return [
      `${path} is in no folder of test/architecture/import-rules.ts: give its folder a row, and ARCHITECTURE.md a paragraph`,
    ];
  return imports
    .filter(({ target, specifier }) => !mayImport(name, rule, target, specifier))
    .map(({ target, specifier }) => faultOfImport(path, target ?? specifier, name, rule));
}

function faultsOfPackage(source: Source): string[] {
  if (source.path.startsWith(WIRE)) return wireFaults(source);
  if (source.path.startsWith(X509)) return x509Faults(source);
  if (source.path.startsWith(KIT)) return kitFaults(source);
  return source.path.startsWith(SERVER) ? serverFaults(source) : [];
}

export function arrowFaults(sources: readonly Source[]): string[] {
  return bound(sources).flatMap((source) => {
    const material = source.imports
      .filter(({ target }) => target !== undefined && isTestMaterial(target))
      .map(({ target }) => `${source.path} imports ${target}: what is for tests does not ship`);
    return [...material, ...faultsOfPackage(source)];
  });
}

export function reservedFaults(sources: readonly Source[]): string[] {
  return bound(sources).flatMap(({ path, code }) =>
    RESERVED.filter(({ words, allowed }) => words.test(code) && !allowed.some((each) => path.startsWith(`packages/${each}`))).map(
      ({ reason }) => `${path} ${reason}`,
    ),
  );
}

/**
 * Rings of files that import each other. Of values: which of them is ready first is left to chance. Of types: none of
 * them can be read without all others.
 */
export function cycleFaults(sources: readonly Source[]): string[] {
  const next = new Map(
    sources.map(({ path, imports }) => [path, imports.flatMap(({ target }) => (target === undefined ? [] : [target]))]),
  );
  const done = new Set<string>();
  const faults: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    const before = way.indexOf(path);
    if (before >= 0) {
      faults.push(
        `${[...way.slice(before), path].join(' -> ')} is a ring of imports: what both need belongs below them, or an interface of a few members does`,
      );
      return;
    }
    if (done.has(path)) return;
    for (const target of next.get(path) ?? []) visit(target, [...way, path]);
    done.add(path);
  };
  for (const path of next.keys()) visit(path, []);
  return faults;
}

const LONGEST = 400;

export function formFaults(sources: readonly Source[]): string[] {
  return sources
    .filter(({ path }) => !isTestMaterial(path))
    .flatMap(({ path, opening, lines }) => [
      ...(opening.startsWith('/**') || opening.startsWith('//')
        ? []
        : [`${path} does not open with a comment that says what it owns`]),
      ...(lines > LONGEST && !isGenerated(path) ? [`${path} has ${lines} lines: over ${LONGEST}, a file is two files`] : []),
      ...(/(^|\/)(utils?|helpers?|common|managers?|misc|index)\.ts$/.test(path) &&
      !path.endsWith('/handlers/index.ts') &&
      !path.endsWith('/migrations/index.ts')
        ? [`${path}: a name that says nothing of what is inside`]
        : []),
      ...(/(^|\/)[a-z0-9][a-z0-9.-]*\.ts$/.test(path) ? [] : [`${path}: files are named in kebab-case`]),
    ]);
}
