/**
 * Metadata of objects (OPTIGA Trust M, Solution Reference Manual 3.70, chapter on object metadata): `20 len` and then values,
 * each with a tag and a length of one byte. Access conditions are expressions; a missing one means never.
 */
import { LinkError } from './frame.ts';

/** One part of an access condition. */
export type AccessTerm =
  | { readonly kind: 'always' | 'never' }
  /** A life cycle (`LcsO`, `LcsA`, `LcsG`) or a security status, compared with a value. */
  | { readonly kind: 'state'; readonly state: string; readonly operator: '==' | '>' | '<'; readonly value: number }
  /** A protected connection, integrity, authorization or counter that an object stands for. */
  | { readonly kind: 'object'; readonly what: string; readonly object: number };

/** Alternatives, each of terms that have to be met together. */
export type AccessCondition = readonly (readonly AccessTerm[])[];

export interface ObjectMetadata {
  /** Life cycle of the object: 1 creation, 3 initialisation, 7 operational, 15 termination. */
  readonly lifeCycle: number | undefined;
  readonly maxSize: number | undefined;
  readonly usedSize: number | undefined;
  readonly change: AccessCondition;
  readonly read: AccessCondition;
  readonly execute: AccessCondition;
  /** Of a key: 3 is P-256. */
  readonly algorithm: number | undefined;
  /** Of a key: bits 01 authentication, 02 encryption, 10 signing, 20 key agreement. */
  readonly usage: number | undefined;
  /** Of an object: 11 trust anchor, 12 device certificate (hexadecimal). */
  readonly type: number | undefined;
  /** As the chip gave it. */
  readonly raw: Buffer;
}

const TAG = { all: 0x20, lifeCycle: 0xc0, maxSize: 0xc4, usedSize: 0xc5, change: 0xd0, read: 0xd1, execute: 0xd3 } as const;
const KEY_TAG = { algorithm: 0xe0, usage: 0xe1, type: 0xe8 } as const;

const STATES: Readonly<Record<number, string>> = { 16: 'SecStaG', 112: 'LcsG', 144: 'SecStaA', 224: 'LcsA', 225: 'LcsO' };
const OBJECTS: Readonly<Record<number, string>> = { 32: 'Conf', 33: 'Int', 35: 'Auto', 64: 'Luc' };
const OPERATORS = { 250: '==', 251: '>', 252: '<' } as const;
const AND = 0xfd;
const OR = 0xfe;

const damaged = (): LinkError => new LinkError("the object's metadata is damaged");

/** The first term of an expression, and its length. */
function takeTerm(bytes: Buffer): { term: AccessTerm; length: number } {
  const [id = -1, second = -1, third = -1] = bytes;
  if (id === 0x00) return { term: { kind: 'always' }, length: 1 };
  if (id === 0xff) return { term: { kind: 'never' }, length: 1 };
  if (third < 0) throw damaged();
  const state = STATES[id];
  if (state !== undefined && second in OPERATORS)
    return { term: { kind: 'state', state, operator: OPERATORS[second as keyof typeof OPERATORS], value: third }, length: 3 };
  const what = OBJECTS[id];
  if (what === undefined) throw damaged();
  return { term: { kind: 'object', what, object: bytes.readUInt16BE(1) }, length: 3 };
}

function parseCondition(bytes: Buffer | undefined): AccessCondition {
  if (bytes === undefined) return [[{ kind: 'never' }]];
  const alternatives: AccessTerm[][] = [[]];
  for (let at = 0; ; ) {
    const { term, length } = takeTerm(bytes.subarray(at));
    alternatives.at(-1)?.push(term);
    at += length;
    if (at === bytes.length) return alternatives;
    const operator = bytes[at];
    if (operator === OR) alternatives.push([]);
    else if (operator !== AND) throw damaged();
    at += 1;
  }
}

/** Reads what a chip gave. Throws LinkError where it is none. */
export function parseMetadata(raw: Buffer): ObjectMetadata {
  if (raw[0] !== TAG.all || raw[1] !== raw.length - 2) throw damaged();
  const values = new Map<number, Buffer>();
  for (let at = 2; at < raw.length; ) {
    const end = at + 2 + (raw[at + 1] ?? raw.length);
    if (end > raw.length) throw damaged();
    values.set(raw[at] ?? 0, raw.subarray(at + 2, end));
    at = end;
  }
  const number = (tag: number): number | undefined => {
    const bytes = values.get(tag);
    if (bytes === undefined) return undefined;
    if (bytes.length < 1 || bytes.length > 4) throw damaged();
    return bytes.readUIntBE(0, bytes.length);
  };
  return {
    lifeCycle: number(TAG.lifeCycle),
    maxSize: number(TAG.maxSize),
    usedSize: number(TAG.usedSize),
    change: parseCondition(values.get(TAG.change)),
    read: parseCondition(values.get(TAG.read)),
    execute: parseCondition(values.get(TAG.execute)),
    algorithm: number(KEY_TAG.algorithm),
    usage: number(KEY_TAG.usage),
    type: number(KEY_TAG.type),
    raw,
  };
}

function textOfTerm(term: AccessTerm): string {
  if (term.kind === 'state') return `${term.state} ${term.operator} ${term.value}`;
  if (term.kind === 'object') return `${term.what}(0x${term.object.toString(16).toUpperCase()})`;
  return term.kind;
}

/** A condition as people write it: `always`, `LcsO < 7 or Conf(0xE140)`. */
export const textOfCondition = (condition: AccessCondition): string =>
  condition.map((terms) => terms.map(textOfTerm).join(' and ')).join(' or ');

const isTermMet = (term: AccessTerm, lifeCycle: number): boolean => {
  if (term.kind !== 'state' || term.state !== 'LcsO') return term.kind === 'always';
  if (term.operator === '==') return lifeCycle === term.value;
  return term.operator === '<' ? lifeCycle < term.value : lifeCycle > term.value;
};

/** Whether an object can be changed as it is now, without a protected connection or an authorization. */
export const isChangeable = ({ change, lifeCycle = 0 }: ObjectMetadata): boolean =>
  change.some((terms) => terms.every((term) => isTermMet(term, lifeCycle)));

/** One byte of metadata that is set: a life cycle. */
export const lifeCycleMetadata = (lifeCycle: number): Buffer => Buffer.of(TAG.all, 3, TAG.lifeCycle, 1, lifeCycle);
