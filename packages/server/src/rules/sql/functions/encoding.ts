/** `encode` and `decode`: base64, and Protobuf by a service (developer guide, pages iot-sql-functions, binary-payloads). */
import type { Evaluation } from '../evaluation.ts';
import { readJson, utf8Text } from '../payload.ts';
import type { SqlValue } from '../values.ts';
import { type Argument, type CallSite, define, type Evaluate, type SqlFunctions } from './definition.ts';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** `*` is the payload's bytes, JSON or not; all else is converted to a text. */
function encoded(value: Argument | undefined, evaluation: Evaluation): SqlValue {
  if (value?.expression.kind === 'payload') return encodedBytes(evaluation.message.payload, evaluation);
  const text = evaluation.text(value?.evaluate(evaluation));
  return text === undefined ? undefined : encodedBytes(Buffer.from(text, 'utf8'), evaluation);
}

function encodedBytes(bytes: Buffer, evaluation: Evaluation): string {
  evaluation.bound((bytes.length * 4) / 3);
  evaluation.spend(1 + (bytes.length >>> 5));
  return bytes.toString('base64');
}

/** A JSON document as value, any other text as it is, Null for what can't be decoded. */
function decoded(value: SqlValue, evaluation: Evaluation): SqlValue {
  if (typeof value !== 'string') return value === undefined ? undefined : null;
  evaluation.spend(1 + (value.length >>> 4));
  if (!BASE64.test(value) || value.replace(/=+$/, '').length % 4 === 1) return null;
  const bytes = Buffer.from(value, 'base64');
  const text = utf8Text(bytes);
  if (text === undefined) return null;
  const document = readJson(bytes, evaluation.dialect);
  return document === undefined ? text : document;
}

const schemeOf = (scheme: Argument | undefined, evaluation: Evaluation): SqlValue => scheme?.evaluate(evaluation);

/** Protobuf: the value's bytes, and where the descriptor is. */
function decodedProtobuf(args: readonly Argument[], evaluation: Evaluation, { id }: CallSite): SqlValue {
  const [value, , ...descriptor] = args;
  const names = descriptor.map((arg) => arg.evaluate(evaluation));
  const bytes = value?.expression.kind === 'payload' ? encoded(value, evaluation) : value?.evaluate(evaluation);
  if (typeof bytes !== 'string' || !names.every((name) => typeof name === 'string')) return undefined;
  return evaluation.ask(id, 'decode_proto', () => [bytes, ...names]);
}

/** Whether a call of `decode` is for Protobuf: known by the number of arguments. */
export const isProtobufCall = (name: string, args: number): boolean => name === 'decode' && args === 6;

const decode = (args: readonly Argument[], site: CallSite): Evaluate => {
  const [value, scheme] = args;
  if (args.length === 6)
    return (evaluation) => (schemeOf(scheme, evaluation) === 'proto' ? decodedProtobuf(args, evaluation, site) : undefined);
  if (args.length !== 2) return () => undefined;
  return (evaluation) =>
    schemeOf(scheme, evaluation) === 'base64' ? decoded(value?.evaluate(evaluation), evaluation) : undefined;
};

export const ENCODINGS: SqlFunctions = {
  decode: define({ least: 2, most: 6 }, decode),
  encode: define(
    { least: 2 },
    ([value, scheme]) =>
      (evaluation) =>
        schemeOf(scheme, evaluation) === 'base64' ? encoded(value, evaluation) : undefined,
  ),
};
