/** Escapes a text for both text formats: backslashes, line ends, and quotes where the format has them escaped. */
export const exposedText = (text: string, { quotes }: { readonly quotes: boolean }): string =>
  text.replace(quotes ? /[\\"\n]/g : /[\\\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`));
