/** Commands as the API shows them. */
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { apiValue, bytesOfText } from './parameters.ts';
import { commandArn, type CommandBody, commandBodies, type CommandRecord, commands, type ParameterRecord } from './store.ts';

export async function getCommand(tx: ReadTransaction, accountId: string, commandId: string): Promise<CommandRecord> {
  const found = await tx.get(commands, [accountId, commandId]);
  return found ?? fail('ResourceNotFoundException', `The command ${commandId} does not exist`);
}

export const getCommandBody = async (tx: ReadTransaction, { accountId, commandId }: CommandRecord): Promise<CommandBody> =>
  (await tx.get(commandBodies, [accountId, commandId])) ?? { accountId, commandId };

export const commandSummary = (place: Place, record: CommandRecord) => ({
  commandArn: commandArn(place, record.commandId),
  commandId: record.commandId,
  displayName: record.displayName,
  deprecated: record.deprecatedAt !== undefined,
  createdAt: new Date(record.createdAt),
  lastUpdatedAt: new Date(record.lastUpdatedAt),
  pendingDeletion: record.deletionAt !== undefined,
});

function describedParameter({ value, defaultValue, valueConditions, ...parameter }: ParameterRecord) {
  const conditions = valueConditions?.map(({ comparisonOperator, operand }) => ({
    comparisonOperator,
    operand: { ...operand, numbers: operand.numbers && [...operand.numbers], strings: operand.strings && [...operand.strings] },
  }));
  return {
    ...parameter,
    value: value && apiValue(value),
    defaultValue: defaultValue && apiValue(defaultValue),
    valueConditions: conditions,
  };
}

export const describedCommand = (place: Place, record: CommandRecord, body: CommandBody) => ({
  ...commandSummary(place, record),
  namespace: record.namespace,
  description: record.description,
  roleArn: record.roleArn,
  mandatoryParameters: body.parameters?.map(describedParameter),
  payload: body.payload && { content: bytesOfText(body.payload.content), contentType: body.payload.contentType },
  payloadTemplate: body.payloadTemplate,
  preprocessor: body.outputFormat && { awsJsonSubstitution: { outputFormat: body.outputFormat } },
});
