/** Geographical points in documents (developer guide, page location-indexing-geoquery). Pure. */
import { isObject } from '@thingkeep/wire/is-object.ts';
import { numberIn } from '../query/query.ts';
import type { IndexedPoint } from './values.ts';

export type CoordinateOrder = 'LatLon' | 'LonLat';

const numberOf = (json: unknown): number | undefined => {
  if (typeof json === 'number') return json;
  return typeof json === 'string' ? numberIn(json.trim()) : undefined;
};

function point(latitude: unknown, longitude: unknown): IndexedPoint | undefined {
  const [north, east] = [numberOf(latitude), numberOf(longitude)];
  if (north === undefined || east === undefined || Math.abs(north) > 90 || Math.abs(east) > 180) return undefined;
  return { latitude: north, longitude: east };
}

const ordered = (a: unknown, b: unknown, order: CoordinateOrder): IndexedPoint | undefined =>
  order === 'LatLon' ? point(a, b) : point(b, a);

/** `POINT(lon lat)` of well-known text. */
const WELL_KNOWN_TEXT = /^\s*POINT\s*\(\s*(\S+)\s+(\S+)\s*\)\s*$/i;

/** The point that a value says; undefined for a value that says none. `order` is of pairs without names. */
export function pointOf(json: unknown, order: CoordinateOrder): IndexedPoint | undefined {
  if (typeof json === 'string') {
    const [, longitude, latitude] = WELL_KNOWN_TEXT.exec(json) ?? [];
    if (longitude !== undefined) return point(latitude, longitude);
    const parts = json.split(',');
    return parts.length === 2 ? ordered(parts[0], parts[1], order) : undefined;
  }
  if (Array.isArray(json)) return json.length === 2 ? ordered(json[0], json[1], order) : undefined;
  if (!isObject(json)) return undefined;
  return point(json.latitude ?? json.lat, json.longitude ?? json.lon ?? json.long);
}

/** What is under a path of names that may themselves have dots; undefined where nothing is. */
export function under(json: unknown, path: string): unknown {
  if (path === '') return json;
  if (!isObject(json)) return undefined;
  for (const [name, value] of Object.entries(json)) {
    if (name === path) return value;
    if (path.startsWith(`${name}.`)) {
      const found = under(value, path.slice(name.length + 1));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
