/** Expressions of PromQL as far as names and labels go: what they ask of the declared metrics. */
import { listedValues, type MetricDeclaration } from '../../packages/server/src/admin/metrics/metric-declaration.ts';

export interface Expression {
  /** Panel or alert. */
  readonly where: string;
  readonly expr: string;
  /** Labels that legends, or annotations, show. */
  readonly shown: readonly string[];
}

/** Labels that Prometheus adds to every metric. */
const ADDED = ['instance', 'job'];
const OURS = /\b((?:thingkeep|process)_\w+)\s*(?:\{([^}]*)\})?/g;
const MATCHER = /(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"/g;
const GROUPING = /\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g;
const SUFFIX = /_(bucket|count|sum)$/;

type Declared = Readonly<Record<string, MetricDeclaration>>;

/** The declaration of a name in an expression; a histogram is asked for by its series. */
function declarationOf(name: string, declared: Declared): MetricDeclaration | undefined {
  if (Object.hasOwn(declared, name)) return declared[name]?.type === 'histogram' ? undefined : declared[name];
  const histogram = declared[name.replace(SUFFIX, '')];
  return SUFFIX.test(name) && histogram?.type === 'histogram' ? histogram : undefined;
}

const labelsOf = (name: string, { labels = {} }: MetricDeclaration): string[] => [
  ...Object.keys(labels),
  ...ADDED,
  ...(name.endsWith('_bucket') ? ['le'] : []),
];

function matcherFaults(where: string, name: string, text: string, declared: MetricDeclaration): string[] {
  return [...text.matchAll(MATCHER)].flatMap(([, label = '', operator = '', value = '']) => {
    if (!labelsOf(name, declared).includes(label)) return [`${where}: ${name} has no label ${label}`];
    const values = listedValues(declared.labels?.[label] ?? 'named');
    if (values === undefined) return [];
    const asked = operator.endsWith('~') ? value.split('|') : [value];
    return asked
      .filter((each) => !values.includes(each) && each !== 'other')
      .map((each) => `${where}: ${label} of ${name} is never "${each}"`);
  });
}

export function expressionFaults({ where, expr, shown }: Expression, declared: Declared): string[] {
  const asked = [...expr.matchAll(OURS)].map(([, name = '', matchers = '']) => ({ name, matchers }));
  const known = new Set(ADDED);
  const faults = asked.flatMap(({ name, matchers }) => {
    const metric = declarationOf(name, declared);
    if (metric === undefined) return [`${where}: there is no metric ${name}`];
    for (const label of labelsOf(name, metric)) known.add(label);
    return matcherFaults(where, name, matchers, metric);
  });
  const grouped = [...expr.matchAll(GROUPING)].flatMap(([, labels = '']) => labels.split(',').map((label) => label.trim()));
  return [
    ...faults,
    ...[...grouped, ...shown]
      .filter((label) => !known.has(label))
      .map((label) => `${where}: no metric there has the label ${label}`),
    ...(asked.length === 0 && !expr.includes('up{') ? [`${where} asks for no metric of ours`] : []),
  ];
}
