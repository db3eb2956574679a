/** What is declared of a metric: all that a scrape, the reference of metrics and the tests of dashboards need to know of it. */

/** Values of a label: those listed, and `other` for any other; `named` where the operator has asked for names. */
export type LabelValues = readonly string[] | 'named';

export interface MetricDeclaration {
  readonly type: 'counter' | 'gauge' | 'histogram' | 'info';
  /** One sentence. */
  readonly help: string;
  /** Base unit, which the name ends with. */
  readonly unit?: 'bytes' | 'seconds';
  readonly labels?: Readonly<Record<string, LabelValues>>;
}
