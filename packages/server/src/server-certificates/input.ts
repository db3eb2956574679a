/**
 * Members of an ACM request: the service has no row in the operation table, so its few shapes are read here. Error
 * messages repeat no value: one of them is a private key.
 */
import { fromBase64 } from '@thingkeep/wire/api/base64.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { isObject } from '@thingkeep/wire/is-object.ts';
import type { CertificateTag } from './store.ts';

export type AcmInput = Readonly<Record<string, unknown>>;

const broken = (member: string, constraint: string): never =>
  fail(
    'ValidationException',
    `1 validation error detected: Value at '${member[0]?.toLowerCase()}${member.slice(1)}' failed to satisfy constraint: ${constraint}`,
  );

/** Text of a blob member, at most `most` bytes; undefined when it is not there. */
export function optionalPem(input: AcmInput, member: string, most: number): string | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined;
  if (bytes === undefined) return broken(member, 'Member must be base64');
  if (bytes.length === 0 || bytes.length > most) return broken(member, `Member must have length between 1 and ${most}`);
  return Buffer.from(bytes).toString('latin1');
}

export const requiredPem = (input: AcmInput, member: string, most: number): string =>
  optionalPem(input, member, most) ?? broken(member, 'Member must not be null');

export function optionalArn(input: AcmInput): string | undefined {
  const value = input.CertificateArn;
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || value.length < 20 || value.length > 2048)
    return broken('CertificateArn', 'Member must have length between 20 and 2048');
  return value;
}

export const requiredArn = (input: AcmInput): string => optionalArn(input) ?? broken('CertificateArn', 'Member must not be null');

/** A whole number between `least` and `most`. */
export function optionalNumber(input: AcmInput, member: string, least: number, most: number): number | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    return broken(member, `Member must be a number between ${least} and ${most}`);
  return value;
}

export function optionalText(input: AcmInput, member: string, most: number): string | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || value.length === 0 || value.length > most)
    return broken(member, `Member must have length between 1 and ${most}`);
  return value;
}

/** A list of words out of `known`; undefined when it is not there. */
export function optionalWords(input: AcmInput, member: string, known: ReadonlySet<string>): ReadonlySet<string> | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string' && known.has(each)))
    return broken(member, `Member must satisfy enum value set: [${[...known].join(', ')}]`);
  return new Set(value as string[]);
}

export function optionalStructure(input: AcmInput, member: string): AcmInput {
  const value = input[member];
  if (value === undefined || value === null) return {};
  return isObject(value) ? value : broken(member, 'Member must be a structure');
}

const TAG_TEXT = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const MAX_TAGS = 50;

const isTagText = (value: unknown, least: number, most: number): value is string =>
  typeof value === 'string' && value.length >= least && value.length <= most && TAG_TEXT.test(value);

function readTag(tag: unknown): CertificateTag {
  const { Key, Value } = isObject(tag) ? tag : {};
  if (!isTagText(Key, 1, 128)) return fail('InvalidTagException', 'A tag needs a key of 1 to 128 letters, digits or _.:/=+-@');
  if (/^aws:/i.test(Key)) fail('InvalidTagException', 'Tag keys that begin with aws: are reserved.');
  if (Value === undefined || Value === null) return { Key };
  if (!isTagText(Value, 0, 256))
    return fail('InvalidTagException', 'The value of a tag has at most 256 letters, digits or _.:/=+-@');
  return { Key, Value };
}

/** Tags of a request; undefined when there are none. */
export function optionalTags(input: AcmInput): readonly CertificateTag[] | undefined {
  const value = input.Tags;
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || value.length === 0) return broken('Tags', 'Member must be a list of 1 to 50');
  if (value.length > MAX_TAGS) return fail('TooManyTagsException', `A certificate can have at most ${MAX_TAGS} tags.`);
  return value.map(readTag);
}

/** The tags with others added; an added tag replaces one of the same key. */
export function tagsWith(before: readonly CertificateTag[], added: readonly CertificateTag[]): readonly CertificateTag[] {
  const merged = [...new Map([...before, ...added].map((tag) => [tag.Key, tag])).values()];
  return merged.length > MAX_TAGS ? fail('TooManyTagsException', `A certificate can have at most ${MAX_TAGS} tags.`) : merged;
}
