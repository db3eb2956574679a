/** JSON that is written again with the numbers as they were: a double would not keep all of their digits. */

/** A text that JSON.stringify writes as it is. TypeScript does not know the function yet. */
export const { rawJSON: rawJson } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

type Reviver = (name: string, value: unknown, context: { readonly source: string }) => unknown;

const keepNumber: Reviver = (_, value, { source }) => (typeof value === 'number' ? rawJson(source) : value);

/** A JSON text's value, for JSON.stringify: its numbers are written with the digits that they came with. */
export const parseToWrite = (text: string): unknown => JSON.parse(text, keepNumber as Parameters<typeof JSON.parse>[1]);
