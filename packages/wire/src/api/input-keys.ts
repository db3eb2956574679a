/**
 * Condition keys that come from a call's input: tags, and what AWS's Service Authorization Reference lists for operations of
 * AWS IoT and Lambda. What an input may hold is checked elsewhere: what has another form here says nothing.
 */
import type { CallInput, KeyValues } from './authorization.ts';
import { fail } from '../errors.ts';
import { isObject } from '../is-object.ts';

const isText = (value: unknown): value is string => typeof value === 'string';
const textsIn = (value: unknown): readonly string[] => (Array.isArray(value) ? value.filter(isText) : []);

type TagPair = readonly [key: string, value: string];

/** Tags as a list of `Key` and `Value`, a map, or the query string of the header `x-amz-tagging`. */
function pairsIn(given: unknown): readonly TagPair[] {
  if (isText(given)) return [...new URLSearchParams(given)];
  if (isObject(given)) return Object.entries(given).filter((pair): pair is [string, string] => isText(pair[1]));
  if (!Array.isArray(given)) return [];
  return given.flatMap((tag): readonly TagPair[] => {
    if (!isObject(tag) || !isText(tag.Key)) return [];
    return [[tag.Key, isText(tag.Value) ? tag.Value : '']];
  });
}

/**
 * Fails with AccessDeniedException for keys that upper and lower case alone tell apart: names of condition keys are the same
 * for both, and one of the tags would go unseen.
 */
function checkCase(keys: readonly string[]): void {
  if (new Set(keys.map((key) => key.toLowerCase())).size < new Set(keys).size)
    fail('AccessDeniedException', 'The request has tags whose keys differ in upper and lower case alone');
}

/**
 * The member under the one of two names that is given. An input with both could show a condition one and the handler the other.
 */
function eitherMember(input: CallInput, ...names: readonly [string, string]): unknown {
  const [first, second] = names.map((name) => input[name] ?? undefined);
  if (first !== undefined && second !== undefined)
    fail('AccessDeniedException', `The request has both ${names[0]} and ${names[1]}`);
  return first ?? second;
}

/** `aws:TagKeys` of all tags that a call adds or removes, `aws:RequestTag/KEY` of those that it adds. */
function tagKeys(input: CallInput): KeyValues {
  const given = eitherMember(input, 'tags', 'Tags');
  const pairs = pairsIn(given);
  // UntagLogGroup has a list of keys under the name of tags.
  const removed = [...textsIn(given), ...textsIn(eitherMember(input, 'tagKeys', 'TagKeys'))];
  const keys = [...pairs.map(([key]) => key), ...removed];
  if (keys.length === 0) return [];
  checkCase(keys);
  return [['aws:TagKeys', keys], ...pairs.map(([key, value]) => [`aws:RequestTag/${key}`, value] as const)];
}

/** Members behind keys of a service, by action; a member that is not given gives no key. */
const MEMBERS: Readonly<Record<string, readonly (readonly [key: string, member: string])[]>> = {
  'lambda:AddPermission': [
    ['lambda:Principal', 'Principal'],
    ['lambda:FunctionUrlAuthType', 'FunctionUrlAuthType'],
    ['lambda:EventSourceToken', 'EventSourceToken'],
    ['lambda:InvokedViaFunctionUrl', 'InvokedViaFunctionUrl'],
  ],
  'lambda:CreateFunction': [
    ['lambda:Layer', 'Layers'],
    ['lambda:CodeSigningConfigArn', 'CodeSigningConfigArn'],
    ['lambda:SubnetIds', 'VpcConfig.SubnetIds'],
    ['lambda:SecurityGroupIds', 'VpcConfig.SecurityGroupIds'],
  ],
  'lambda:UpdateFunctionConfiguration': [
    ['lambda:Layer', 'Layers'],
    ['lambda:SubnetIds', 'VpcConfig.SubnetIds'],
    ['lambda:SecurityGroupIds', 'VpcConfig.SecurityGroupIds'],
  ],
  'iotjobsdata:DescribeJobExecution': [['iot:JobId', 'jobId']],
  'iotjobsdata:UpdateJobExecution': [['iot:JobId', 'jobId']],
};

function memberKeys(action: string, input: CallInput): KeyValues {
  return (MEMBERS[action] ?? []).flatMap(([key, path]): KeyValues => {
    const value = path.split('.').reduce<unknown>((at, name) => (isObject(at) ? at[name] : undefined), input);
    if (isText(value) || typeof value === 'boolean') return [[key, String(value)]];
    const texts = textsIn(value);
    return texts.length === 0 ? [] : [[key, texts]];
  });
}

/** Whether addresses of sockets are wanted: there for the operations that can give them, given or not. */
const SOCKETS = new Set(['iot:GetConnection', 'iot:GetThingConnectivityData']);

const socketKeys = (action: string, { includeSocketInformation }: CallInput): KeyValues =>
  SOCKETS.has(action) ? [['iot:IncludeSocketInformation', String(includeSocketInformation === true)]] : [];

/** `action` is the service's prefix and the operation's name, such as `iot:CreateThing`. */
export function inputKeys(action: string, input: object): KeyValues {
  const given = input as CallInput;
  return [...tagKeys(given), ...memberKeys(action, given), ...socketKeys(action, given)];
}
