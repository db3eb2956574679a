/** Which text format a scraper wants, by its Accept header (RFC 9110 section 12.5.1). */
import type { MetricsFormat } from './render.ts';

interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Media ranges that are looked at. */
const MAX_RANGES = 32;

function rangeOf(text: string): MediaRange {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim().toLowerCase());
  const parameters = rest.map((part): [string, string] => {
    const [name = '', value = ''] = part.split('=').map((each) => each.trim());
    return [name, value.replace(/^"(.*)"$/, '$1')];
  });
  return { type, parameters: new Map(parameters) };
}

/** A weight that is none counts as 0. */
function weightOf({ parameters }: MediaRange): number {
  const weight = Number(parameters.get('q') ?? 1);
  return weight >= 0 && weight <= 1 ? weight : 0;
}

const isOpenMetrics = ({ type, parameters }: MediaRange): boolean =>
  type === 'application/openmetrics-text' && (parameters.get('version') ?? '1.0.0') === '1.0.0';

const isText = ({ type, parameters }: MediaRange): boolean =>
  type === 'text/plain' && (parameters.get('version') ?? '0.0.4') === '0.0.4';

/** OpenMetrics for those who name it, and want nothing more than that; the older text format for everybody else. */
export function formatOf(accept: string | undefined): MetricsFormat {
  const ranges = (accept ?? '').split(',', MAX_RANGES).map(rangeOf);
  const weight = (fits: (range: MediaRange) => boolean): number => Math.max(0, ...ranges.filter(fits).map(weightOf));
  const open = weight(isOpenMetrics);
  return open > 0 && open >= weight(isText) ? 'openmetrics' : 'prometheus';
}
