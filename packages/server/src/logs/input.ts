/** Members of a CloudWatch Logs request: the service has no row in the operation table, so its few shapes are read here. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { groupArn } from './store.ts';

export type LogsInput = Readonly<Record<string, unknown>>;

const broken = (member: string, constraint: string): never =>
  fail(
    'InvalidParameterException',
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: ${constraint}`,
  );

export function optionalMatch(input: LogsInput, member: string, pattern: RegExp): string | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string' || !pattern.test(value)) return broken(member, `Member must satisfy ${pattern.source}`);
  return value;
}

export const requiredMatch = (input: LogsInput, member: string, pattern: RegExp): string =>
  optionalMatch(input, member, pattern) ?? broken(member, 'Member must not be null');

export function optionalInteger(input: LogsInput, member: string, least: number, most: number): number | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    return broken(member, `Member must be a whole number from ${least} to ${most}`);
  return value;
}

export function optionalTruth(input: LogsInput, member: string): boolean {
  const value = input[member] ?? false;
  return typeof value === 'boolean' ? value : broken(member, 'Member must be true or false');
}

export function optionalTexts(input: LogsInput, member: string, pattern: RegExp, most: number): readonly string[] | undefined {
  const value = input[member];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || value.length > most || value.some((each) => typeof each !== 'string' || !pattern.test(each)))
    return broken(member, `Member must be a list of at most ${most} texts that satisfy ${pattern.source}`);
  return value as string[];
}

const GROUP = /^[.\-_/#A-Za-z0-9]{1,512}$/;
const STREAM = /^[^:*]{1,512}$/;
const TOKEN = /^[\w/.+=-]{1,512}$/;

export const groupName = (input: LogsInput): string => requiredMatch(input, 'logGroupName', GROUP);
export const streamName = (input: LogsInput): string => requiredMatch(input, 'logStreamName', STREAM);
export const optionalStreamNames = (input: LogsInput): readonly string[] | undefined =>
  optionalTexts(input, 'logStreamNames', STREAM, 100);
export const optionalToken = (input: LogsInput): string | undefined => optionalMatch(input, 'nextToken', TOKEN);

/** A group by its name, or by its name or ARN as `logGroupIdentifier`. */
export function groupOf(input: LogsInput, place: Place): string {
  const identifier = optionalMatch(input, 'logGroupIdentifier', /^[\w#+=/:,.@-]{1,2048}$/);
  if (identifier === undefined) return groupName(input);
  // Permissions are evaluated on one group.
  if (optionalMatch(input, 'logGroupName', GROUP) !== undefined)
    fail('InvalidParameterException', 'logGroupName and logGroupIdentifier can not be given together.');
  return groupInArn(identifier, place) ?? identifier;
}

/** The group that an ARN of this place names, with or without `:*` behind it. */
export function groupInArn(arn: string, place: Place): string | undefined {
  const beginning = groupArn(place, '');
  return arn.startsWith(beginning) ? arn.slice(beginning.length).replace(/:\*$/, '') : undefined;
}

/** CloudWatch Logs API reference, TagResource. */
const MAX_TAGS = 50;

export function tagsIn(input: LogsInput, required: boolean): Readonly<Record<string, string>> {
  const tags = input.tags ?? {};
  if (typeof tags !== 'object' || tags === null || Array.isArray(tags)) return broken('tags', 'Member must be a map');
  const entries = Object.entries(tags as LogsInput);
  if (required && entries.length === 0) broken('tags', 'Member must have length greater than or equal to 1');
  if (entries.length > MAX_TAGS) fail('TooManyTagsException', `A resource can have at most ${MAX_TAGS} tags.`);
  for (const [key, value] of entries)
    if (key === '' || key.length > 128 || typeof value !== 'string' || value.length > 256)
      broken('tags', 'Keys must have 1 to 128 characters, values at most 256');
  return Object.fromEntries(entries) as Record<string, string>;
}
