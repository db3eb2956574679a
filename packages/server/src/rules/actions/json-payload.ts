/** What a rule made of a message, taken apart for actions that need its members. */
import { rawJson } from '@thingkeep/wire/api/raw-json.ts';
import { isObject } from '@thingkeep/wire/is-object.ts';
import { ActionError } from './action-error.ts';
import type { Order } from './contract.ts';

type ResultObject = Readonly<Record<string, unknown>>;

/** A number as it was written: a double would not keep all of its digits. */
export class WrittenNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toJSON(): unknown {
    return rawJson(this.text);
  }
}

type Reviver = (name: string, value: unknown, context: { readonly source: string }) => unknown;

const asWritten: Reviver = (_, value, { source }) =>
  typeof value === 'number' && String(value) !== source ? new WrittenNumber(source) : value;

/** The payload as JSON; undefined when it is none. `exactly`: numbers that a double changes are {@link WrittenNumber}. */
export function jsonOf({ isJson, payload }: Pick<Order<unknown>, 'isJson' | 'payload'>, exactly = false): unknown {
  if (!isJson || payload.length === 0) return undefined;
  try {
    return JSON.parse(payload.toString('utf8'), exactly ? (asWritten as Parameters<typeof JSON.parse>[1]) : undefined);
  } catch {
    return undefined;
  }
}

/** Fails with ActionError when the payload is no JSON object. */
export function objectOf(order: Pick<Order<unknown>, 'isJson' | 'payload'>, exactly = false): ResultObject {
  const value = jsonOf(order, exactly);
  if (isObject(value)) return value;
  throw new ActionError('the result of the SQL is no JSON object', false);
}

/**
 * Records of a payload: its elements in batch mode, when it is an array of `most` at most; else itself
 * (developer guide, page kinesis-firehose-rule-action).
 */
export function recordsOf(order: Pick<Order<unknown>, 'isJson' | 'payload'>, batchMode: boolean, most: number): Buffer[] {
  const value = batchMode ? jsonOf(order) : undefined;
  if (!Array.isArray(value)) return [order.payload];
  if (value.length > most) throw new ActionError(`the result has ${value.length} elements; a batch has ${most} at most`, false);
  return value.map((element) => Buffer.from(typeof element === 'string' ? element : JSON.stringify(element)));
}

/** A number that a template rendered. Fails with ActionError. */
export function numberOf(text: string, what: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new ActionError(`${what} is no number: ${text.slice(0, 64)}`, false);
  return value;
}
