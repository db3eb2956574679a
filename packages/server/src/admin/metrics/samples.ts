/** The values of one scrape, by metric. A label has declared values alone: so what clients send never makes a new series. */
import { Histogram } from '../../runtime/histogram.ts';
import { exposedText } from './exposed-text.ts';
import { type LabelValues, listedValues, type MetricDeclaration } from './metric-declaration.ts';

export type MetricLabels = Readonly<Record<string, string>>;

export interface MetricSample {
  /** As both text formats have them, without the braces. */
  readonly labels: string;
  readonly value: number | Histogram;
}

/** Stands for every value that is not declared. */
export const OTHER = 'other';

type Declarations = Readonly<Record<string, MetricDeclaration>>;
type HistogramName<D extends Declarations> = {
  [Name in keyof D & string]: 'histogram' extends D[Name]['type'] ? Name : never;
}[keyof D & string];
type NumberName<D extends Declarations> = {
  [Name in keyof D & string]: D[Name]['type'] extends 'histogram' ? never : Name;
}[keyof D & string];

/** Values by the text of their labels. */
type Series<T> = Map<string, Map<string, T>>;

export class MetricSamples<D extends Declarations = Declarations> {
  readonly #declared: D;
  readonly #numbers: Series<number> = new Map();
  readonly #histograms: Series<Histogram> = new Map();

  constructor(declared: D) {
    this.#declared = declared;
  }

  /**
   * Adds a value. Values of one metric that have the same labels are added up; of times, which a gauge of seconds is, the
   * longest counts.
   */
  add(name: NumberName<D>, value: number, labels: MetricLabels = {}): void {
    const series = seriesOf(this.#numbers, name);
    const text = this.#labelsOf(name, labels);
    const known = series.get(text);
    const { type, unit } = this.#declarationOf(name);
    const isTime = type === 'gauge' && unit === 'seconds';
    series.set(text, known === undefined ? value : isTime ? Math.max(known, value) : known + value);
  }

  /** Adds a histogram; those of one metric that have the same labels are added up. */
  addHistogram(name: HistogramName<D>, histogram: Histogram, labels: MetricLabels = {}): void {
    const series = seriesOf(this.#histograms, name);
    const text = this.#labelsOf(name, labels);
    const known = series.get(text);
    series.set(text, known === undefined ? histogram : sumOf(known, histogram));
  }

  /** Adds a value for each value of a label. */
  addEach(name: NumberName<D>, label: string, values: Readonly<Record<string, number>>): void {
    for (const [value, count] of Object.entries(values)) this.add(name, count, { [label]: value });
  }

  /** The declared metrics, each with its values, in the order of their declaration. */
  *families(): Iterable<{ name: string; declared: MetricDeclaration; samples: MetricSample[] }> {
    for (const [name, declared] of Object.entries(this.#declared)) {
      const series = [...(this.#numbers.get(name) ?? []), ...(this.#histograms.get(name) ?? [])];
      yield { name, declared, samples: series.map(([labels, value]) => ({ labels, value })) };
    }
  }

  #declarationOf(name: keyof D): MetricDeclaration {
    return this.#declared[name] as MetricDeclaration;
  }

  #labelsOf(name: keyof D, labels: MetricLabels): string {
    return Object.entries(this.#declarationOf(name).labels ?? {})
      .flatMap(([label, values]) => {
        const value = declaredValue(values, labels[label]);
        return value === undefined ? [] : [`${label}="${exposedText(value, { quotes: true })}"`];
      })
      .join(',');
  }
}

function seriesOf<T>(all: Series<T>, name: string): Map<string, T> {
  const series = all.get(name) ?? new Map<string, T>();
  all.set(name, series);
  return series;
}

/** Undefined for a name that was not asked for: its label is left out. */
function declaredValue(values: LabelValues, value: string | undefined): string | undefined {
  const listed = listedValues(values);
  return listed === undefined || (value !== undefined && listed.includes(value)) ? value : OTHER;
}

function sumOf(a: Histogram, b: Histogram): Histogram {
  const sum = new Histogram(a.bounds);
  sum.add(a);
  sum.add(b);
  return sum;
}
