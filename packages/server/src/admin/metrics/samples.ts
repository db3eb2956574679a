/** The values of one scrape, by metric. A label has declared values alone: so what clients send never makes a new series. */
import { Histogram } from '../../runtime/histogram.ts';
import type { LabelValues, MetricDeclaration } from './metric-declaration.ts';

export type MetricLabels = Readonly<Record<string, string>>;

export interface MetricSample {
  /** As both text formats have them, without the braces. */
  readonly labels: string;
  readonly value: number | Histogram;
}

/** Stands for every value that is not declared. */
export const OTHER = 'other';

/** A label's value, escaped as both text formats do it. */
export const labelText = (text: string): string => text.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`));

export class MetricSamples<Name extends string = string> {
  readonly #declared: Readonly<Record<Name, MetricDeclaration>>;
  readonly #families = new Map<Name, Map<string, number | Histogram>>();

  constructor(declared: Readonly<Record<Name, MetricDeclaration>>) {
    this.#declared = declared;
  }

  /** Adds a value; values of one metric that have the same labels are added up. */
  add(name: Name, value: number | Histogram, labels: MetricLabels = {}): void {
    const family = this.#families.get(name) ?? new Map<string, number | Histogram>();
    this.#families.set(name, family);
    const text = this.#labelsOf(name, labels);
    const known = family.get(text);
    family.set(text, known === undefined ? value : sumOf(known, value));
  }

  /** Adds a value for each value of a label. */
  addEach(name: Name, label: string, values: Readonly<Record<string, number>>): void {
    for (const [value, count] of Object.entries(values)) this.add(name, count, { [label]: value });
  }

  /** The declared metrics, each with its values, in the order of their declaration. */
  *families(): Iterable<{ name: Name; declared: MetricDeclaration; samples: MetricSample[] }> {
    for (const name of Object.keys(this.#declared) as Name[]) {
      const samples = [...(this.#families.get(name) ?? [])].map(([labels, value]) => ({ labels, value }));
      yield { name, declared: this.#declared[name], samples };
    }
  }

  #labelsOf(name: Name, labels: MetricLabels): string {
    return Object.entries(this.#declared[name].labels ?? {})
      .flatMap(([label, values]) => {
        const value = declaredValue(values, labels[label]);
        return value === undefined ? [] : [`${label}="${labelText(value)}"`];
      })
      .join(',');
  }
}

/** Undefined for a name that was not asked for: its label is left out. */
const declaredValue = (values: LabelValues, value: string | undefined): string | undefined =>
  values === 'named' || (value !== undefined && values.includes(value)) ? value : OTHER;

function sumOf(a: number | Histogram, b: number | Histogram): number | Histogram {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  const sum = new Histogram((a instanceof Histogram ? a : (b as Histogram)).bounds);
  for (const each of [a, b]) if (each instanceof Histogram) sum.add(each);
  return sum;
}
