/** Functions of texts (developer guide, page iot-sql-functions). Characters are UTF-16 units, as Java counts them. */
import { toInt } from '../arithmetic.ts';
import type { Dialect } from '../dialect.ts';
import type { Evaluation } from '../evaluation.ts';
import { toDouble } from '../numbers.ts';
import { type SqlValue, toNumber } from '../values.ts';
import { type SqlFunctions, ofTexts, ofValues, type SqlFunction } from './definition.ts';

/** An Int as a double: beyond any length it may be inexact. */
function whole(value: SqlValue, way: 'floor' | 'trunc', dialect: Dialect): number | undefined {
  const number = toNumber(value);
  const int = number === undefined ? undefined : toInt(number, way, dialect);
  return int === undefined ? undefined : toDouble(int);
}

const MAX_SPACES = 1000;

/** That many spaces more, not up to that length. */
const padded = (left: boolean): SqlFunction =>
  ofValues({ least: 2 }, ([value, count], evaluation) => {
    const text = evaluation.text(value);
    const spaces = whole(count, 'floor', evaluation.dialect);
    if (text === undefined || spaces === undefined) return undefined;
    evaluation.bound(text.length + MAX_SPACES);
    evaluation.spend(1 + (text.length >>> 5));
    const padding = ' '.repeat(Math.min(Math.max(spaces, 0), MAX_SPACES));
    return left ? padding + text : text + padding;
  });

const chr = ofValues({ least: 1 }, ([value], { dialect }) => {
  const code = whole(value, 'floor', dialect);
  return code === undefined || code < 0 || code > 127 ? undefined : String.fromCharCode(code);
});

const substring = ofValues({ least: 2, most: 3 }, (values, evaluation) => {
  const text = evaluation.text(values[0]);
  const start = whole(values[1], 'trunc', evaluation.dialect);
  const end = values.length === 3 ? whole(values[2], 'trunc', evaluation.dialect) : text?.length;
  if (text === undefined || start === undefined || end === undefined) return undefined;
  const from = Math.max(start, 0);
  return from >= end ? '' : text.slice(from, Math.max(end, 0));
});

const replace = ofTexts({ least: 3 }, ([text = '', find = '', by = ''], evaluation) => {
  if (find === '') return text;
  const parts = text.split(find);
  evaluation.bound(text.length + (parts.length - 1) * (by.length - find.length));
  evaluation.spend(parts.length);
  return parts.join(by);
});

/** Spaces and tabs, and no other white space. */
const BLANK = (unit: number): boolean => unit === 0x20 || unit === 0x09;

const trimmed = (left: boolean, right: boolean): SqlFunction =>
  ofTexts({ least: 1 }, ([text = '']) => {
    let from = 0;
    let to = text.length;
    while (left && from < to && BLANK(text.charCodeAt(from))) from += 1;
    while (right && to > from && BLANK(text.charCodeAt(to - 1))) to -= 1;
    return text.slice(from, to);
  });

function concatArrays(values: readonly SqlValue[], evaluation: Evaluation): SqlValue {
  const all: SqlValue[] = [];
  for (const value of values) {
    if (Array.isArray(value)) for (const item of value as readonly SqlValue[]) all.push(item);
    else if (value !== undefined) all.push(value);
    evaluation.spend(1 + (Array.isArray(value) ? value.length : 0));
  }
  return all;
}

/** An array among the arguments makes one array of all; a text among them one text. */
const concat = ofValues({ least: 1, most: 1000 }, (values, evaluation) => {
  if (values.length === 1) return values[0];
  if (values.some(Array.isArray)) return concatArrays(values, evaluation);
  if (!values.some((value) => typeof value === 'string')) return undefined;
  let text = '';
  for (const value of values) {
    const part = evaluation.text(value);
    if (part === undefined) return undefined;
    evaluation.bound(text.length + part.length);
    text += part;
  }
  evaluation.spend(1 + (text.length >>> 5));
  return text;
});

export const TEXT: SqlFunctions = {
  chr,
  concat,
  endswith: ofTexts({ least: 2 }, ([text = '', end = '']) => text.endsWith(end)),
  indexof: ofTexts({ least: 2 }, ([text = '', part = '']) => text.indexOf(part)),
  length: ofTexts({ least: 1 }, ([text = '']) => text.length),
  lower: ofTexts({ least: 1 }, ([text = '']) => text.toLowerCase()),
  lpad: padded(true),
  ltrim: trimmed(true, false),
  numbytes: ofTexts({ least: 1 }, ([text = '']) => Buffer.byteLength(text)),
  replace,
  rpad: padded(false),
  rtrim: trimmed(false, true),
  startswith: ofTexts({ least: 2 }, ([text = '', start = '']) => text.startsWith(start)),
  substring,
  trim: trimmed(true, true),
  upper: ofTexts({ least: 1 }, ([text = '']) => text.toUpperCase()),
};
