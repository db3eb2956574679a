/**
 * The normative clauses of MQTT 3.1.1 and 5, and where each is tested. `clauses/*.json` has them all: `transcripts`, the file
 * of a test that names the clause, or why there is none. Run by itself, this writes CLAUSES.md anew.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const ROOT = new URL('../../', import.meta.url);
export const PAGE = new URL('CLAUSES.md', import.meta.url);
const TRANSCRIPTS = new URL('transcripts/', import.meta.url);
const CLAUSE = /MQTT-\d[\d.-]*-\d+/g;

export interface Version {
  readonly name: string;
  readonly level: 4 | 5;
  readonly file: string;
}

export const VERSIONS: readonly Version[] = [
  { name: 'MQTT 3.1.1', level: 4, file: 'clauses/mqtt-3.1.1.json' },
  { name: 'MQTT 5', level: 5, file: 'clauses/mqtt-5.json' },
];

/** Reasons that many clauses share. */
export const REASONS: Readonly<Record<string, string>> = {
  client: 'The client’s to keep.',
  'qos 2': 'QoS 2 is not served, as on AWS.',
  'enhanced authentication': 'Enhanced authentication is not served, as on AWS.',
  'subscription identifiers': 'Subscription identifiers are not served, as on AWS.',
  'no text': 'The server adds no Reason String and no User Property.',
};

export const TRANSCRIBED = 'transcripts';
const TEST = 'test: ';

export const testFileOf = (where: string): string | undefined => (where.startsWith(TEST) ? where.slice(TEST.length) : undefined);

export const readClauses = ({ file }: Version): Record<string, string> =>
  JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as Record<string, string>;

interface Transcript {
  readonly clause: string;
  readonly level: number;
}

/** Clause -> transcript files that name it, with how often. */
export function namedInTranscripts(level: number): Map<string, Map<string, number>> {
  const found = new Map<string, Map<string, number>>();
  for (const file of readdirSync(TRANSCRIPTS).sort())
    for (const transcript of JSON.parse(readFileSync(new URL(file, TRANSCRIPTS), 'utf8')) as Transcript[])
      if (transcript.level === level)
        for (const [clause] of transcript.clause.matchAll(CLAUSE)) {
          const files = found.get(clause) ?? new Map<string, number>();
          found.set(clause, files.set(file, (files.get(file) ?? 0) + 1));
        }
  return found;
}

function cell(where: string, files: ReadonlyMap<string, number> | undefined): string {
  const test = testFileOf(where);
  if (test !== undefined) return `[${test.slice(test.lastIndexOf('/') + 1)}](../../${test})`;
  if (where !== TRANSCRIBED) return REASONS[where] ?? where;
  return [...(files ?? [])].map(([file, count]) => `[${file}](transcripts/${file}) (${count})`).join(', ');
}

function table(version: Version): string {
  const clauses = Object.entries(readClauses(version));
  const named = namedInTranscripts(version.level);
  const tested = clauses.filter(([, where]) => where === TRANSCRIBED || testFileOf(where) !== undefined).length;
  return [
    `## ${version.name}`,
    '',
    `${clauses.length} clauses, ${tested} of them tested by name.`,
    '',
    '| clause | tested in, or why not |',
    '| --- | --- |',
    ...clauses.map(([clause, where]) => `| ${clause} | ${cell(where, named.get(clause))} |`),
    '',
  ].join('\n');
}

/** CLAUSES.md as it should be. */
export const page = (): string =>
  [
    '# Clauses of MQTT, and where they are tested',
    '',
    'Every normative clause of the two versions that the server speaks. A number is how many transcripts of a file name the clause.',
    '`node test/conformance/clauses.ts` writes this page; a test fails when it is out of date.',
    '',
    ...VERSIONS.map(table),
  ].join('\n');

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(PAGE, page());
