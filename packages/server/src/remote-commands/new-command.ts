/** New commands: what CreateCommand is given, checked and as it is stored. */
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { invalid } from './invalid.ts';
import { type ApiValue, checkConditions, checkValue, storedValue } from './parameters.ts';
import { placeholdersOf } from './payload-template.ts';
import type { CommandBody, ParameterRecord } from './store.ts';

type NewCommand = IotOperations['CreateCommand']['input'];
type NewParameter = NonNullable<NewCommand['mandatoryParameters']>[number];

/** Bytes of a payload (General Reference, quotas of commands). */
const MAX_PAYLOAD = 32 * 1024;
/** Parameters of a command, conditions of a parameter, and bytes of a content type: ours. */
const MAX_PARAMETERS = 100;
const MAX_CONDITIONS = 10;
const CONTENT_TYPE = /^[\x20-\x7e]{1,256}$/;
const DEFAULT_TYPE = 'application/octet-stream';

function parameterOf({ name = '', type, value, defaultValue, valueConditions, description }: NewParameter): ParameterRecord {
  const stored = (given: ApiValue | undefined) => (given === undefined ? undefined : storedValue(name, type, given));
  const parameter: ParameterRecord = {
    name,
    type,
    value: stored(value as ApiValue | undefined),
    defaultValue: stored(defaultValue as ApiValue | undefined),
    valueConditions: valueConditions?.map(({ comparisonOperator = 'EQUALS', operand = {} }) => {
      const { numberRange, ...others } = operand;
      const { min = '', max = '' } = numberRange ?? {};
      return { comparisonOperator, operand: { ...others, numberRange: numberRange && { min, max } } };
    }),
    description,
  };
  if ((valueConditions?.length ?? 0) > MAX_CONDITIONS)
    invalid(`The parameter '${name}' has more than ${MAX_CONDITIONS} conditions`);
  checkConditions(parameter);
  for (const own of [parameter.value, parameter.defaultValue]) if (own !== undefined) checkValue(parameter, own);
  return parameter;
}

function parametersOf(given: NewCommand['mandatoryParameters']): readonly ParameterRecord[] | undefined {
  if (given === undefined) return undefined;
  if (given.length > MAX_PARAMETERS) invalid(`A command has at most ${MAX_PARAMETERS} parameters`);
  const parameters = given.map(parameterOf);
  if (new Set(parameters.map(({ name }) => name)).size < parameters.length) invalid('Two parameters have one name');
  return parameters;
}

function payloadOf({ content, contentType = DEFAULT_TYPE }: NonNullable<NewCommand['payload']>): CommandBody['payload'] {
  if (content === undefined || content.length === 0) return invalid("The 'content' field of the payload is required.");
  if (content.length > MAX_PAYLOAD) invalid(`The payload is larger than ${MAX_PAYLOAD} bytes`);
  if (!CONTENT_TYPE.test(contentType)) invalid('The contentType of the payload is invalid');
  return { content: Buffer.from(content).toString('base64'), contentType };
}

type NewBody = Omit<CommandBody, 'accountId' | 'commandId'>;

function templateBody({ payloadTemplate = '', preprocessor, mandatoryParameters }: NewCommand): NewBody {
  const outputFormat = preprocessor?.awsJsonSubstitution?.outputFormat;
  if (outputFormat === undefined) return invalid("A 'payloadTemplate' needs 'preprocessor' with 'awsJsonSubstitution'.");
  const parameters = parametersOf(mandatoryParameters) ?? [];
  const known = new Set(parameters.map(({ name }) => name));
  for (const name of placeholdersOf(payloadTemplate, outputFormat))
    if (!known.has(name)) invalid(`The parameter '${name}' of the payloadTemplate is not in 'mandatoryParameters'`);
  return { payloadTemplate, outputFormat, parameters };
}

/** What the command sends. The texts that AWS has been seen to answer are cases of test/conformance/probes. */
export function commandBody(input: NewCommand): NewBody {
  const { namespace = 'AWS-IoT', payload, payloadTemplate, preprocessor, mandatoryParameters, roleArn } = input;
  if (namespace === 'AWS-IoT-FleetWise') {
    if (roleArn === undefined) invalid("The 'roleArn' field is required when using the 'AWS-IoT-FleetWise' namespace.");
    if (payload !== undefined || payloadTemplate !== undefined)
      invalid("The 'AWS-IoT-FleetWise' namespace does not support 'payload' and 'payloadTemplate'.");
    return { parameters: parametersOf(mandatoryParameters) };
  }
  if (payload !== undefined && payloadTemplate !== undefined)
    invalid("Only one of 'payload' and 'payloadTemplate' can be specified.");
  if (payloadTemplate !== undefined) return templateBody(input);
  if (payload === undefined) return invalid("The 'payload' field of the command is required when using the 'AWS-IoT' namespace.");
  if (mandatoryParameters !== undefined)
    invalid("AWS-IoT namespace does not support 'mandatoryParameters' with 'payload' option.");
  if (preprocessor !== undefined) invalid("'preprocessor' is not supported with the 'payload' option.");
  return { payload: payloadOf(payload) };
}
