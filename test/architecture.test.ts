/** The project's rules, checked: imports, rings, words with one owner, dependencies, documents. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arrowFaults, cycleFaults, formFaults, reservedFaults, folderOf } from './architecture/checks.ts';
import { decisionFaults } from './architecture/decisions.ts';
import { domainFileFaults } from './architecture/domain-files.ts';
import { nameFaults } from './architecture/exported-names.ts';
import { floorFaults } from './architecture/floors.ts';
import { SERVER_FOLDERS } from './architecture/import-rules.ts';
import { classesOf, memberFaults } from './architecture/members.ts';
import { pageNameFaults } from './architecture/page-names.ts';
import { linkFaults, namedFileFaults, widthFaults } from './architecture/prose.ts';
import { isTestMaterial, projectFiles, projectSources, sourceOf, textOf } from './architecture/sources.ts';

const files = projectFiles();
const sources = projectSources();
const pages = files.filter((path) => path.endsWith('.md')).map((path) => ({ path, text: textOf(path) }));

/** Written by a test. */
const CLAUSES = 'test/conformance/CLAUSES.md';

const none = (faults: readonly string[]): void => assert.deepEqual(faults, [], `\n${faults.join('\n')}\n`);

test('imports follow the arrows', () => none(arrowFaults(sources)));
test('no ring of imports, of types included', () => none(cycleFaults(sources)));
test('environment, clock, SQL and the state of connections have one owner each', () => none(reservedFaults(sources)));
test('every source opens with a comment, is short, and has a name that says something', () => none(formFaults(sources)));
test('handlers are in <noun>.operations.ts, services on topics in <noun>.topics.ts', () => none(domainFileFaults(sources)));
test('an exported name stands for one thing', () => none(nameFaults(sources)));
test('no class has more than 20 public members', () => none(memberFaults(sources)));
test('no link in the prose is dead', () => none(linkFaults(pages, files)));
test('decisions have a number, a date and a status, and a row in the list', () => none(decisionFaults(pages)));
test('lines of prose have at most 100 columns', () =>
  none(widthFaults(pages.filter(({ path }) => !['CHANGELOG.md', CLAUSES].includes(path)))));
test('every file that the prose names exists', () => none(namedFileFaults(pages, files)));
test('pages that are pasted make records and files with names of their own', () => none(pageNameFaults(pages)));

test('every import of the project leads to a file', () => {
  const known = new Set(files);
  none(
    sources.flatMap(({ path, imports }) =>
      imports.flatMap(({ target, specifier }) =>
        target === undefined || known.has(target) ? [] : [`${path} imports ${specifier}, which is not there`],
      ),
    ),
  );
});

test('every folder of the server has its paragraph in ARCHITECTURE.md', () => {
  const text = textOf('ARCHITECTURE.md');
  none(
    Object.keys(SERVER_FOLDERS).flatMap((name) =>
      text.includes(`\`${name}\``) ? [] : [`ARCHITECTURE.md has no word on \`${name}\``],
    ),
  );
});

test('every folder is on one floor of the picture in ARCHITECTURE.md, and imports none above', () =>
  none(floorFaults(textOf('ARCHITECTURE.md'))));

test('every file of a domain that keeps something in memory is in docs/memory.md, with what voids it', () => {
  const text = textOf('docs/memory.md');
  const folders = /^packages\/server\/src\/(?!broker\/|mqtt\/|runtime\/|store\/|functions\/(sandbox|code)\/)/;
  const keeps = /^\s+(?:readonly )?#\w+(?:: [^=]+)? = new (?:Map|Set|WeakMap|VersionedCache)\b/m;
  const holders = sources.filter(({ path }) => folders.test(path) && !isTestMaterial(path) && keeps.test(textOf(path)));
  assert.ok(holders.length > 15, String(holders.length));
  none(
    holders.flatMap(({ path }) =>
      text.includes(`](../${path})`) ? [] : [`${path} keeps something: docs/memory.md has no word on it`],
    ),
  );
  // A file that follows changes keeps something too.
  const follows = /\b(?:changes|feed)\.on(?:Told)?\(/;
  const followers = sources.filter(
    ({ path }) => /^packages\/server\/src\/(?!store\/|core\.ts)/.test(path) && !isTestMaterial(path),
  );
  const pagesOfMemory = text + textOf('docs/flows/change.md');
  none(
    followers.flatMap(({ path }) =>
      !follows.test(textOf(path)) || pagesOfMemory.includes(path) || path.endsWith('/rules/open.ts')
        ? []
        : [`${path} follows changes: docs/memory.md has no word on it`],
    ),
  );
});

interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const manifests = files
  .filter((path) => /^(packages\/[^/]+\/)?package\.json$/.test(path))
  .map((path) => ({ path, manifest: JSON.parse(textOf(path)) as Manifest }));

test('a decision argues for every runtime dependency', () => {
  const decisions = pages.filter(({ path }) => path.startsWith('docs/decisions/'));
  none(
    manifests.flatMap(({ path, manifest }) =>
      Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies })
        .filter((name) => !name.startsWith('@thingkeep/') && !decisions.some(({ text }) => text.includes(`\`${name}\``)))
        .map((name) => `${path} depends on ${name}, and no page of docs/decisions argues for it`),
    ),
  );
});

test('a package imports only what its package.json names', () => {
  none(
    manifests.flatMap(({ path, manifest }) => {
      const folder = path.slice(0, -'package.json'.length);
      if (folder === '') return [];
      const mine = sources.filter((source) => source.path.startsWith(`${folder}src/`));
      return mine.flatMap((source) =>
        arrowImports(source.imports)
          .filter(
            (name) =>
              name !== manifest.name &&
              !Object.hasOwn({ ...manifest.dependencies, ...manifest.optionalDependencies }, name) &&
              !isTestMaterial(source.path),
          )
          .map((name) => `${source.path} imports ${name}, which ${path} does not name`),
      );
    }),
  );
});

const arrowImports = (imports: (typeof sources)[number]['imports']): string[] =>
  imports
    .filter(({ specifier, typeOnly }) => !typeOnly && !specifier.startsWith('.') && !specifier.startsWith('node:'))
    .map(({ specifier }) =>
      specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/'),
    );

/** Forged violations: each of these would be a fault in the tree. */
const faultsOf = (path: string, text: string): string[] => {
  const source = sourceOf(path, text);
  return [...arrowFaults([source]), ...reservedFaults([source]), ...formFaults([source]), ...domainFileFaults([source])];
};
const S = 'packages/server/src';
const forged: readonly (readonly [path: string, text: string, fault: RegExp])[] = [
  [`${S}/registry/x.ts`, `/** x */\nimport { createApi } from '../api/http.ts';`, /against the arrows/],
  [`${S}/registry/x.ts`, `/** x */\nimport type { Gateway } from '../gateway/gateway.ts';`, /against the arrows/],
  [`${S}/registry/x.ts`, `/** x */\nimport {\n  evaluate,\n} from '../policies/evaluate.ts';`, /against the arrows/],
  [`${S}/authority/x.ts`, `/** x */\nimport { connect } from 'node:tls';`, /sees no socket/],
  [`${S}/authority/x.ts`, `/** x */\nexport { policies } from '../policies/store.ts';`, /no other domain/],
  [`${S}/gateway/x.ts`, `/** x */\nimport { openSqliteStore } from '../store/sqlite/sqlite-store.ts';`, /never sees SQL/],
  [`${S}/gateway/x.ts`, "/** x */\nexport const q = 'SELECT value FROM record';", /holds SQL/],
  [`${S}/gateway/x.ts`, `/** x */\nconst m = await import('node:sqlite');`, /never sees SQL/],
  [`${S}/gateway/x.ts`, `/** x */\nconst m = await import(name);`, /can not be read from the text/],
  [`${S}/gateway/authentication/x.ts`, `/** x */\nimport { connect } from 'node:net';`, /no socket is seen/],
  [`${S}/gateway/authorization/x.ts`, `/** x */\nimport type { A } from '../authentication/authenticator.ts';`, /nothing of how/],
  [`${S}/store/sqlite/x.ts`, `/** x */\nimport { things } from '../../registry/store.ts';`, /against the arrows/],
  [`${S}/policies/x.ts`, '/** x */\nexport const now = () => Date.now();', /reads the clock/],
  [`${S}/core.ts`, '/** x */\nexport const home = process.env.HOME;', /reads the environment/],
  [`${S}/rules/x.ts`, `/** x */\nimport type { Broker } from '../broker/broker.ts';`, /contract of messaging alone/],
  [`${S}/events/x.ts`, `/** x */\nimport type { B } from '../broker/connection/listener.ts';`, /contract of messaging alone/],
  [`${S}/broker/x.ts`, `/** x */\nimport { vectors } from './frames.fixture.ts';`, /does not ship/],
  [`${S}/broker/session/x.ts`, `/** x */\nimport type { Client } from '../connection/client.ts';`, /a session knows/],
  [`${S}/broker/message/x.ts`, `/** x */\nimport type { Session } from '../session/session.ts';`, /messages are bytes/],
  [`${S}/broker/x.ts`, "/** x */\nclient.state = 'closed';", /own their state/],
  [`${S}/broker/x.ts`, `/** x */\nimport { caller } from '../testing/operations-fixture.ts';`, /does not ship/],
  [`${S}/newfolder/x.ts`, '/** x */', /in no folder/],
  ['packages/wire/src/x.ts', `/** x */\nimport { hash } from 'node:crypto';`, /wire imports nothing/],
  ['packages/wire/src/x.ts', `/** x */\nimport { IoTClient } from '@aws-sdk/client-iot';`, /wire imports nothing/],
  ['packages/x509/src/x.ts', `/** x */\nimport { fail } from '@thingkeep/wire/errors.ts';`, /x509 imports nothing/],
  ['packages/x509/src/x.ts', `/** x */\nimport { connect } from 'node:tls';`, /x509 imports nothing/],
  [`${S}/broker/x.ts`, `/** x */\nimport { der } from '@thingkeep/x509/der.ts';`, /puts its four layers together/],
  ['packages/wire/src/x.ts', `import type { A } from './a.ts';`, /does not open with a comment/],
  [`${S}/broker/utils.ts`, '/** x */', /says nothing/],
  [`${S}/broker/x.ts`, `/** x */\n${'\n'.repeat(400)}`, /is two files/],
  [`${S}/registry/things.ts`, '/** x */\n  async CreateThing(input, caller) {', /handlers of operations are in/],
  [`${S}/registry/thing-operations.ts`, '/** x */', /handlers of operations are in/],
  [`${S}/registry/things.operations.ts`, '/** x */\nexport const ONE = 1;', /is not a file of handlers/],
  [`${S}/registry/tagging.operations.ts`, '/** x */\nexport const tagOperations = {};', /the name says what is done/],
  [`${S}/registry/create-thing.operations.ts`, '/** x */\nexport const thingOperations = {};', /the name says what is done/],
  [`${S}/registry/things.topics.ts`, '/** x */\nexport const ONE = 1;', /has no TopicService/],
];
for (const [path, text, fault] of forged)
  test(`caught: ${path.slice(path.lastIndexOf('src/') + 4)} with ${text.split('\n').at(-1)?.slice(0, 60) || 'only a comment'}`, () =>
    assert.match(faultsOf(path, text).join('\n'), fault));

test('caught: rings, of types too, dead links, missing files', () => {
  const ring = (kind: string) => [
    sourceOf('packages/a.ts', `/** a */\n${kind} { b } from './b.ts';`),
    sourceOf('packages/b.ts', `/** b */\nimport { a } from './a.ts';`),
  ];
  assert.equal(cycleFaults(ring('import')).length, 1);
  assert.equal(cycleFaults(ring('import type')).length, 1);
  const page = {
    path: 'docs/x.md',
    text: '# One two\n[a](../README.md) [b](#one-two) [c](#three) [d](gone.md) `tools/gone.ts` `README.md`',
  };
  assert.deepEqual(linkFaults([page], ['README.md', 'docs/x.md']), [
    'docs/x.md links to #three: no such heading',
    'docs/x.md links to gone.md, which is not there',
  ]);
  assert.deepEqual(namedFileFaults([page], ['README.md', 'docs/x.md']), ['docs/x.md names tools/gone.ts, which is not there']);
  assert.equal(folderOf('store/sqlite/open.ts'), 'store/sqlite/');
});

test('caught: a name that two files export', () => {
  const one = (path: string, text: string) => sourceOf(`packages/server/src/${path}`, `/** x */\n${text}`);
  const session = one('broker/session.ts', 'export class Session {}');
  assert.deepEqual(nameFaults([session, one('broker/x.ts', "export type { Session } from './session.ts';")]), []);
  assert.match(nameFaults([session, one('iam/x.ts', 'interface Session {}')])[0] ?? '', /and a type of .*iam\/x\.ts/);
  assert.deepEqual(nameFaults([one('iam/x.ts', 'interface Own {}'), one('iam/y.ts', 'interface Own {}')]), []);
  assert.deepEqual(nameFaults([session, one('iam/x.test.ts', 'export interface Session {}')]), []);
  const [fault = ''] = nameFaults([session, one('iam/sessions.ts', 'export interface Session {}')]);
  assert.match(fault, /^Session is exported by .*broker\/session\.ts and .*iam\/sessions\.ts/);
});

test('caught: a class of 21 public members; what is private does not count, and a name counts once', () => {
  const fields = Array.from({ length: 16 }, (_, i) => `  readonly field${i}: number;`);
  const text = [
    '/** x */',
    'export class Wide<T> implements Map<T> {',
    ...fields,
    '  #hidden = 1;',
    '  private inner = 2;',
    '  constructor(a: number) {',
    '    this.field0 = a;',
    '  }',
    '  get size(): number {',
    '    return 1;',
    '  }',
    '  set size(to: number) {}',
    '  static async open<T>(',
    '    path: string,',
    '  ): Promise<Wide> {}',
    '  *pages(): Iterable<number> {}',
    '  #walk(): void {}',
    '  [Symbol.iterator](): void {}',
    '}',
    'export class Narrow {}',
    'const after = {',
    '  field: 1,',
    '};',
  ];
  const source = (lines: readonly string[]) => sourceOf('packages/server/src/broker/x.ts', lines.join('\n'));
  assert.deepEqual(
    classesOf(source(text)).map(({ name, members }) => [name, members.length, members.slice(16)]),
    [
      ['Wide', 20, ['size', 'open', 'pages', '[Symbol.iterator]']],
      ['Narrow', 0, []],
    ],
  );
  assert.deepEqual(memberFaults([source(text)]), []);
  text.splice(2, 0, '  declare onMore?: () => void;');
  assert.match(memberFaults([source(text)]).join(), /Wide has 21 public members, over 20: it is two classes \(onMore, field0,/);
});

test('caught: a line of prose that is too wide', () => {
  const wide = `${'word '.repeat(20)}word`;
  const text = [`# ${wide}`, '```', wide, '```', `| ${wide} |`, `[${wide}](x.md),`, `- \`${wide}\``, wide, `- ${wide}`].join(
    '\n',
  );
  assert.deepEqual(
    widthFaults([{ path: 'x.md', text }]).map((fault) => fault.slice(0, 10)),
    ['x.md:8 has', 'x.md:9 has'],
  );
});

test('caught: pages that make a policy, a bucket or a file of one name', () => {
  const made = 'aws iot create-policy --policy-name a --x\naws s3 mb s3://b\naws iot c --private-key-outfile c.key';
  const page = (path: string, text: string) => ({ path, text: `\`\`\`sh\n${text}\n\`\`\`\n` });
  const faults = pageNameFaults([page('README.md', made), page('docs/x.md', made), page('docs/operate/y.md', made)]);
  const what = ['create-policy --policy-name a', 's3 mb s3://b', 'the file c.key'];
  assert.deepEqual(
    faults,
    what.map((each) => `docs/x.md makes what README.md has made: ${each}`),
  );
});

test('caught: a folder on a floor below one that it imports, and one on none', () => {
  const text = textOf('ARCHITECTURE.md');
  assert.match(
    floorFaults(text.replace('mqtt/  ', '').replace('gateway/  ', 'mqtt/  ')).join('\n'),
    /gateway\/ is on no floor of the picture/,
  );
  const turned = text.replace('│ runtime/', '│ admin/').replace('api/  admin/', 'api/  runtime/');
  assert.match(floorFaults(turned).join('\n'), /admin\/ is on floor 1 and imports broker/);
});

test('caught: decisions without a number, twice the same, or not in the list', () => {
  const page = (name: string, text: string) => ({ path: `docs/decisions/${name}.md`, text });
  const row = '| 1 | [A](a.md) | 2026-01-01 | in force |';
  const first = page('a', '# A\n\nDecision 1, 2026-01-01, in force.\n');
  assert.deepEqual(decisionFaults([first, page('README', row)]), []);
  const faults = decisionFaults([
    first,
    page('b', '# B\n\nDecision 1, 2025-12-31, superseded by 9.\n'),
    page('c', '# C\n\n**Decided:** nothing.\n'),
    page('README', row),
  ]);
  assert.deepEqual(
    faults.map((fault) => fault.slice(0, 40)),
    [
      'docs/decisions/c.md does not begin with ',
      'docs/decisions/b.md is decision 1, where',
      'docs/decisions/b.md is dated before the ',
      'docs/decisions/b.md is superseded by 9, ',
      'docs/decisions/README.md has no row | 1 ',
    ],
  );
});
