/** The project's own files, and what each source imports: read from the tree, without a compiler. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Made by commands, brought by npm, or the machinery's own. */
const NOT_OURS = new Set(['node_modules', 'dist', 'data', 'results', '__pycache__']);

/** Paths from the root, with `/`, of all files of the project. */
export function projectFiles(): string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (NOT_OURS.has(entry.name) || (entry.name.startsWith('.') && entry.name !== '.ci')) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (entry.isFile()) found.push(relative(ROOT, path).split(sep).join('/'));
    }
  };
  walk(ROOT);
  return found.sort();
}

export const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

export interface Import {
  /** As written. */
  readonly specifier: string;
  /** Path from the root, when the specifier leads to a file of the project. */
  readonly target?: string;
  /** `import type` and `export type`: gone before anything runs. */
  readonly typeOnly: boolean;
}

export interface Source {
  readonly path: string;
  /** Without comments. */
  readonly code: string;
  readonly lines: number;
  /** The first line that is not a `#!`. */
  readonly opening: string;
  readonly imports: readonly Import[];
}

const STRING_OR_COMMENT = /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
const STATIC_IMPORT = /^(?:import|export)\s+(type\s+)?(?:[^'";]*?\bfrom\s+)?['"]([^'"]+)['"]/gm;
const DYNAMIC_IMPORT = /\bimport\(\s*['"`]([^'"`]*)/g;
/** Packages of the workspace that are imported by file. */
const OF_WORKSPACE = /^@thingkeep\/(wire|x509)\/(.+)$/;

function targetOf(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return posix.normalize(posix.join(posix.dirname(from), specifier));
  const [, name, path] = OF_WORKSPACE.exec(specifier) ?? [];
  return name === undefined ? undefined : `packages/${name}/src/${path}`;
}

/** Reads a source's text; a `import('x')` counts as an import of values. */
export function sourceOf(path: string, text: string): Source {
  const code = text.replace(STRING_OR_COMMENT, (_, kept: string | undefined) => kept ?? '');
  const found = [
    ...[...code.matchAll(STATIC_IMPORT)].map(([, type, specifier = '']) => ({ specifier, typeOnly: type !== undefined })),
    ...[...code.matchAll(DYNAMIC_IMPORT)].map(([, specifier = '']) => ({ specifier, typeOnly: false })),
  ];
  const imports = found.map(({ specifier, typeOnly }): Import => {
    const target = targetOf(path, specifier);
    return { specifier, typeOnly, target };
  });
  const lines = text.split('\n');
  return { path, code, imports, lines: lines.length - 1, opening: (lines[0]?.startsWith('#!') ? lines[1] : lines[0]) ?? '' };
}

export const projectSources = (): Source[] =>
  projectFiles()
    .filter((path) => path.endsWith('.ts'))
    .map((path) => sourceOf(path, textOf(path)));

/**
 * Tests, and what only tests use: named `*.fixture.ts`, or in a folder `testing/`. It may import what it wants; nothing
 * else may import it.
 */
export const isTestMaterial = (path: string): boolean =>
  /(\.test|\.fixture)\.ts$|\/testing\/[^/]+\.ts$|^packages\/server\/src\/broker\/test-bench\.ts$/.test(path);

/** Written by a tool: as long as it has to be. */
export const isGenerated = (path: string): boolean => path === 'packages/wire/src/api/operation-types.ts';
