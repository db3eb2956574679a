/** Curves over time as SVG, one below the other, without a library. */

export interface Curve {
  readonly title: string;
  readonly unit: string;
  readonly points: readonly (readonly [minutes: number, value: number])[];
}

const WIDTH = 900;
const HEIGHT = 150;
const LEFT = 80;
const TOP = 30;
const BOTTOM = 25;

/** A round number that is not below. */
function roundUp(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value) ?? 10) * power;
}

const escaped = (text: string): string => text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const text = (x: number, y: number, content: string, anchor: 'start' | 'end' | 'middle' = 'start'): string =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}">${escaped(content)}</text>`;
const line = (x1: number, y1: number, x2: number, y2: number): string =>
  `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="#ccc"/>`;

function drawn({ title, unit, points }: Curve, offset: number, minutes: number): string {
  const most = roundUp(points.reduce((top, [, value]) => Math.max(top, value), 0));
  const bottom = offset + HEIGHT - BOTTOM;
  const height = HEIGHT - TOP - BOTTOM;
  const x = (value: number): number => LEFT + ((WIDTH - LEFT - 20) * value) / minutes;
  const y = (value: number): number => bottom - (height * value) / most;
  const path = points.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) =>
    text(x(part * minutes), bottom + 16, (part * minutes).toFixed(1), 'middle'),
  );
  return [
    text(LEFT, offset + 18, `${title} (${unit}), over minutes`),
    ...[0, 0.5, 1].flatMap((part) => [
      line(LEFT, y(part * most), WIDTH - 20, y(part * most)),
      text(LEFT - 8, y(part * most) + 4, String(Number((part * most).toPrecision(3))), 'end'),
    ]),
    ...ticks,
    `<polyline points="${path}" fill="none" stroke="#1a6" stroke-width="1.5"/>`,
  ].join('\n');
}

/** All curves begin at zero: a flat line looks flat. */
export function plot(curves: readonly Curve[]): string {
  const minutes = Math.max(0.01, ...curves.map(({ points }) => points.at(-1)?.[0] ?? 0));
  const height = curves.length * HEIGHT;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${curves.map(({ title }) => title).join(', ')}, over ${minutes.toFixed(0)} minutes</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    ...curves.map((curve, i) => drawn(curve, i * HEIGHT, minutes)),
    '</svg>\n',
  ].join('\n');
}
