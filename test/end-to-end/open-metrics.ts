/**
 * A strict reader of OpenMetrics 1.0 text (https://github.com/prometheus/OpenMetrics, sections "ABNF" and "Overall Structure").
 */
import assert from 'node:assert/strict';

export interface ReadFamily {
  readonly name: string;
  type: string;
  unit: string | undefined;
  help: string | undefined;
  readonly samples: ReadSample[];
}

export interface ReadSample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

const META = /^# (TYPE|UNIT|HELP) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\[n"\\])*"(?:,(?!\}))?)*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[n"\\])*)"/g;
const NUMBER = /^(?:NaN|[+-]Inf|[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?)$/i;
const ESCAPED = /^(?:[^\\"\n]|\\[n"\\])*$/;
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: ['_total', '_created'],
  gauge: [''],
  info: ['_info'],
  histogram: ['_bucket', '_count', '_sum', '_created'],
};

const numberOf = (text: string): number => {
  assert.match(text, NUMBER, `${text} is a number`);
  return text === '+Inf' ? Number.POSITIVE_INFINITY : text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
};

const unescaped = (text: string): string => text.replace(/\\([n"\\])/g, (_, c: string) => (c === 'n' ? '\n' : c));

function readSample(line: string): ReadSample {
  const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? assert.fail(`no sample: ${line}`);
  const read = [...labels.matchAll(LABEL)].map(([, label = '', text = '']): [string, string] => [label, unescaped(text)]);
  assert.equal(new Map(read).size, read.length, `a label stands once: ${line}`);
  return { name, labels: new Map(read), value: numberOf(value) };
}

function setMeta(family: ReadFamily, kind: string, text: string): void {
  assert.equal(family.samples.length, 0, `${kind} of ${family.name} stands before its samples`);
  if (kind === 'TYPE') {
    assert.ok(Object.hasOwn(SUFFIXES, text), `a known type: ${text}`);
    assert.equal(family.type, '', `${family.name} has one type`);
    family.type = text;
  } else if (kind === 'UNIT') {
    assert.equal(family.unit, undefined);
    assert.ok(family.name.endsWith(`_${text}`), `${family.name} ends with its unit`);
    family.unit = text;
  } else {
    assert.equal(family.help, undefined);
    assert.match(text, ESCAPED);
    family.help = text;
  }
}

/** Samples of a histogram that differ in `le` alone. */
function checkHistogram({ name, samples }: ReadFamily): void {
  const groups = Map.groupBy(samples, ({ labels }) => JSON.stringify([...labels].filter(([label]) => label !== 'le')));
  for (const [labels, group] of groups) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map((bucket) => {
      const text = bucket.labels.get('le') ?? assert.fail(`a bucket of ${name} has a bound`);
      assert.match(text, /^(?:\+Inf|\d+\.\d+|\d(?:\.\d+)?e[+-]\d+)$/, 'a canonical number');
      return numberOf(text);
    });
    assert.deepEqual(
      bounds,
      [...new Set(bounds)].sort((a, b) => a - b),
      `bounds of ${name} rise`,
    );
    assert.equal(bounds.at(-1), Number.POSITIVE_INFINITY);
    const counts = buckets.map(({ value }) => value);
    for (const [i, count] of counts.entries())
      assert.ok(Number.isInteger(count) && count >= (counts[i - 1] ?? 0), `${name} is cumulative`);
    const of = (suffix: string): number | undefined => group.find((sample) => sample.name === name + suffix)?.value;
    assert.equal(of('_count'), counts.at(-1), `${name}${labels}`);
    assert.ok((of('_sum') ?? Number.NaN) >= 0);
  }
}

function checkFamily(family: ReadFamily): void {
  const { name, type, samples } = family;
  const suffixes = SUFFIXES[type] ?? assert.fail(`${name} has a type`);
  for (const sample of samples) {
    assert.ok(
      suffixes.some((suffix) => sample.name === name + suffix),
      `${sample.name} is a sample of the ${type} ${name}`,
    );
    if (type === 'counter') assert.ok(sample.value >= 0, `${sample.name} is no negative number`);
    if (type === 'info') assert.equal(sample.value, 1);
    if (!sample.name.endsWith('_bucket')) assert.ok(!sample.labels.has('le'));
  }
  const keys = samples.map((sample) => JSON.stringify([sample.name, ...[...sample.labels].sort()]));
  assert.equal(new Set(keys).size, keys.length, `no sample of ${name} stands twice`);
  if (type === 'histogram') checkHistogram(family);
}

/** Families of a text that is right in every respect. Fails for any other. */
export function readOpenMetrics(text: string): ReadonlyMap<string, ReadFamily> {
  assert.ok(text.endsWith('\n# EOF\n'), 'the end has its line');
  const families = new Map<string, ReadFamily>();
  let current: ReadFamily | undefined;
  for (const line of text.slice(0, -'# EOF\n'.length).trimEnd().split('\n')) {
    const meta = META.exec(line);
    if (meta === null) {
      assert.ok(current !== undefined && !line.startsWith('#'), `a family before its samples: ${line}`);
      current.samples.push(readSample(line));
      continue;
    }
    const [, kind = '', name = '', rest = ''] = meta;
    if (current?.name !== name) {
      assert.ok(!families.has(name), `${name} stands in one piece`);
      current = { name, type: '', unit: undefined, help: undefined, samples: [] };
      families.set(name, current);
    }
    setMeta(current, kind, rest);
  }
  for (const family of families.values()) checkFamily(family);
  return families;
}
