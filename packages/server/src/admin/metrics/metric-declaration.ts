/** What is declared of a metric: all that a scrape, the reference and the tests of dashboards need of it. */

/**
 * Values of a label: those listed, each with its meaning where its name does not say it, and `other` for any other; `named`
 * where the operator has asked for names.
 */
export type LabelValues = readonly string[] | Readonly<Record<string, string>> | 'named';

const isList = (values: readonly string[] | Readonly<Record<string, string>>): values is readonly string[] =>
  Array.isArray(values);

/** The listed values; undefined for names. */
export function listedValues(values: LabelValues): readonly string[] | undefined {
  if (values === 'named') return undefined;
  return isList(values) ? values : Object.keys(values);
}

/** The meanings of the values; undefined where they have none. */
export const meaningsOf = (values: LabelValues): Readonly<Record<string, string>> | undefined =>
  values === 'named' || isList(values) ? undefined : values;

export interface MetricDeclaration {
  readonly type: 'counter' | 'gauge' | 'histogram' | 'info';
  /** One sentence. */
  readonly help: string;
  /** Base unit, which the name ends with. */
  readonly unit?: 'bytes' | 'seconds';
  readonly labels?: Readonly<Record<string, LabelValues>>;
}
