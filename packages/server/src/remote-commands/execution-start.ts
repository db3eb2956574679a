/** The start of an execution: what the device is sent, with the values of its parameters. */
import { invalid } from './invalid.ts';
import { type ApiValue, bytesOfText, checkValue, storedValue } from './parameters.ts';
import { fillTemplate } from './payload-template.ts';
import type { CommandBody, CommandRecord, ParameterRecord, StoredValue } from './store.ts';

/** What goes to the device. */
export interface RequestPayload {
  readonly payload: Buffer;
  readonly contentType: string;
}

/** Bytes of the values that an execution is started with, as they are stored: ours. */
const MAX_VALUES = 64 * 1024;

export type GivenValues = Readonly<Record<string, ApiValue>>;

/** Fails unless the command may be started. */
export function refuseStart({ commandId, namespace, deprecatedAt, deletionAt }: CommandRecord): void {
  if (deletionAt !== undefined) invalid(`The command ${commandId} is being deleted`);
  if (deprecatedAt !== undefined) invalid(`The command ${commandId} is deprecated`);
  if (namespace !== 'AWS-IoT') invalid(`Commands of the namespace ${namespace} can not be started on this server`);
}

/** The values that are given, as they are stored; each is of a parameter of the command. */
export function givenValues(body: CommandBody, given: GivenValues | undefined): Record<string, StoredValue> | undefined {
  if (given === undefined) return undefined;
  if (body.payloadTemplate === undefined) invalid('The command has no parameters');
  const known = new Map((body.parameters ?? []).map((parameter) => [parameter.name, parameter]));
  const values = Object.entries(given).map(([name, value]) => {
    const parameter = known.get(name) ?? invalid(`The command has no parameter '${name}'`);
    return [name, storedValue(name, parameter.type, value)] as const;
  });
  const stored = Object.fromEntries(values);
  if (JSON.stringify(stored).length > MAX_VALUES) invalid(`The parameters are larger than ${MAX_VALUES} bytes`);
  return stored;
}

/** The value that is given at the start or else the parameter's own, which overrides the default (API reference, CommandParameter). */
function resolvedValue(parameter: ParameterRecord, given: Readonly<Record<string, StoredValue>>): StoredValue {
  const { name, defaultValue } = parameter;
  const value = Object.hasOwn(given, name) ? given[name] : (parameter.value ?? defaultValue);
  if (value === undefined) return invalid(`The parameter '${name}' has no value`);
  checkValue(parameter, value);
  return value;
}

export function requestPayload(
  { payload, payloadTemplate = '', outputFormat = 'JSON', parameters = [] }: CommandBody,
  given: Readonly<Record<string, StoredValue>>,
  timeoutSeconds: number,
): RequestPayload {
  if (payload !== undefined) return { payload: Buffer.from(bytesOfText(payload.content)), contentType: payload.contentType };
  const values = new Map(parameters.map((parameter) => [parameter.name, resolvedValue(parameter, given)]));
  const filled = fillTemplate(payloadTemplate, { parameters: values, timeoutSeconds }, outputFormat);
  return { payload: filled, contentType: outputFormat === 'JSON' ? 'application/json' : 'application/cbor' };
}
