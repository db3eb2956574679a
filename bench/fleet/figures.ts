/** Figures of a scenario, their bounds, and the table in which they are shown. */

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The figure must not be above, or below. Without either it is only told. */
  readonly most?: number;
  readonly least?: number;
}

export const figure = (name: string, value: number, unit: string, bound: { most?: number; least?: number } = {}): Figure => ({
  name,
  value,
  unit,
  ...bound,
});

/** A figure that could not be measured keeps no bound. */
export const isKept = ({ value, most, least }: Figure): boolean =>
  (most === undefined || value <= most) && (least === undefined || value >= least);

/** The smallest sample that `part` (0 to 1) of all samples do not exceed; NaN without samples. */
export function quantile(samples: readonly number[], part: number): number {
  const sorted = Float64Array.from(samples).sort();
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);
export const largest = (samples: readonly number[]): number => samples.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);

/** Rise of y for each 1 of x, by least squares; 0 for fewer than two points. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const count = points.length;
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / count;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / count;
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return spread > 0 ? points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread : 0;
}

const shown = (value: number): string => {
  if (!Number.isFinite(value)) return '-';
  if (Number.isInteger(value) || Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en');
  return value.toPrecision(3);
};

/** The figures as a table of Markdown. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map((each) => {
    const { name, value, unit, most, least } = each;
    const bounds = [
      ...(least === undefined ? [] : [`at least ${shown(least)}`]),
      ...(most === undefined ? [] : [`at most ${shown(most)}`]),
    ];
    const verdict = bounds.length === 0 ? '' : isKept(each) ? 'kept' : 'BROKEN';
    return [name, shown(value), unit, bounds.join(', '), verdict];
  });
  const all = [['figure', 'value', 'unit', 'bound', ''], ['---', '---:', '---', '---', '---'], ...rows];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => (column === 1 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0))).join(' | ')} |`;
  return `${all.map(line).join('\n')}\n`;
}
