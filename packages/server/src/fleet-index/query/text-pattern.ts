/**
 * Whether a text is of the form of a pattern, as SQLite's GLOB has it. No step is taken back: a regular expression with two
 * wildcards takes a millisecond for a text of 800 characters that is made for it. Pure.
 */
import type { TextPattern, TextPatternPart } from './query.ts';

/** Parts between two wildcards for any text. */
type Piece = readonly Exclude<TextPatternPart, 'any-text'>[];

function piecesOf(parts: TextPattern): Piece[] {
  const pieces: Exclude<TextPatternPart, 'any-text'>[][] = [[]];
  for (const part of parts)
    if (part === 'any-text') pieces.push([]);
    else pieces.at(-1)?.push(part);
  return pieces;
}

/** Where a piece that begins at a place ends; undefined where it does not fit. */
function endOf(piece: Piece, text: string, from: number): number | undefined {
  let at = from;
  for (const part of piece)
    if (part === 'one-character') {
      const point = text.codePointAt(at);
      if (point === undefined) return undefined;
      at += point > 0xffff ? 2 : 1;
    } else if (text.startsWith(part.literal, at)) at += part.literal.length;
    else return undefined;
  return at;
}

/** Where the first piece from a place on ends; undefined where there is none. */
function endOfFirst(piece: Piece, text: string, from: number): number | undefined {
  const [first] = piece;
  for (let at = from; at <= text.length; ) {
    if (typeof first === 'object') at = text.indexOf(first.literal, at);
    if (at < 0) return undefined;
    const end = endOf(piece, text, at);
    if (end !== undefined) return end;
    at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
  }
  return undefined;
}

/** Whether a place is between the two halves of one character. */
const isInside = (text: string, at: number): boolean => at > 0 && (text.codePointAt(at - 1) ?? 0) > 0xffff;

/** Whether the text ends with the piece, which begins at a place or behind it. */
function endsWith(piece: Piece, text: string, from: number): boolean {
  const wild = piece.filter((part) => part === 'one-character').length;
  const literal = piece.reduce((sum, part) => sum + (part === 'one-character' ? 0 : part.literal.length), 0);
  for (let length = literal + wild; length <= literal + 2 * wild; length += 1) {
    const at = text.length - length;
    if (at >= from && !isInside(text, at) && endOf(piece, text, at) === text.length) return true;
  }
  return false;
}

/** A test of texts. */
export function textTest(parts: TextPattern): (text: string) => boolean {
  const [first = [], ...others] = piecesOf(parts);
  const last = others.pop();
  return (text) => {
    let at = endOf(first, text, 0);
    if (last === undefined) return at === text.length;
    for (const piece of others) at = at === undefined ? undefined : endOfFirst(piece, text, at);
    return at !== undefined && endsWith(last, text, at);
  };
}
