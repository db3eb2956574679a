/** Escapes text of devices and callers for printing: no character of it controls a terminal or begins a line. */

/**
 * C0, DEL and C1 controls, line and paragraph separators, characters that have no width or turn the direction of text
 * (Unicode category Cf), lone surrogates and non-characters.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Noncharacter_Code_Point}]/gu;

const escaped = (character: string): string =>
  [...Array(character.length).keys()].map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');

/** The text with each unsafe character as `\uXXXX`; in a JSON text that is the same character. */
export const escapeText = (text: string): string => text.replace(UNSAFE, escaped);

/** An identifier of characters that need no quotes. */
const PLAIN = /^[\w.:@/$+#*%-]+$/;

/** An identifier within a line of text, in quotes when it could be confused with the rest of the line. */
export const quoteUnlessPlain = (text: string): string => escapeText(PLAIN.test(text) ? text : JSON.stringify(text));
