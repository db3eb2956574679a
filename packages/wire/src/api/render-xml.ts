/**
 * An output -> elements of the query protocol's XML (Smithy, AWS query protocol): a list is `member` elements, a map is
 * `entry` elements with `key` and `value`, a timestamp is ISO 8601 in whole seconds. Members that the model lacks are dropped.
 */
import { toBase64 } from './base64.ts';
import type { ModelName } from './model.ts';
import { membersOf, shapeOf } from './table.ts';

/** Text, or elements in order. */
export type XmlContent = string | readonly (readonly [name: string, content: XmlContent])[];

type Data = Readonly<Record<string, unknown>>;
type Element = readonly [name: string, content: XmlContent];

const iso = (date: Date): string => `${date.toISOString().slice(0, 19)}Z`;

const present = (value: unknown): boolean => value !== undefined && value !== null;

function content(service: ModelName, value: unknown, shapeName: string): XmlContent {
  const { type, member = '', value: entry = '' } = shapeOf(service, shapeName);
  if (value instanceof Date) return iso(value);
  if (value instanceof Uint8Array) return toBase64(value);
  if (Array.isArray(value)) return value.filter(present).map((each): Element => ['member', content(service, each, member)]);
  if (type === 'map') return Object.entries(value as Data).map(([key, each]): Element => entryOf(service, key, each, entry));
  return type === 'structure' ? elementsOf(service, value as Data, shapeName) : String(value);
}

const entryOf = (service: ModelName, key: string, value: unknown, shapeName: string): Element => [
  'entry',
  [
    ['key', key],
    ['value', content(service, value, shapeName)],
  ],
];

/** The members of a structure that the output has, in the model's order. */
export const elementsOf = (service: ModelName, output: Data, shapeName: string): readonly Element[] =>
  membersOf(shapeOf(service, shapeName)).flatMap(([name, { shape }]): Element[] =>
    present(output[name]) ? [[name, content(service, output[name], shape)]] : [],
  );
