/** How a request names a function: by its name, a part of its ARN or the whole, each with or without a version or alias. */
import { parseFunctionReference } from '@thingkeep/wire/api/function-reference.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { functionArn, LATEST } from './store.ts';

export interface FunctionName {
  readonly name: string;
  /** As given; absent where none is. */
  readonly qualifier?: string;
}

const LONGEST_NAME = 64;

/**
 * Reads the name of a function of this place. `qualifier` is the request's own; where both are given they have to agree.
 * Fails with codes that every operation on a function declares.
 */
export function readName(text: string, place: Place, qualifier?: string): FunctionName {
  const { region, accountId, name = '', qualifier: inName } = parseFunctionReference(text) ?? {};
  if (name === '' || name.length > LONGEST_NAME)
    fail(
      'ValidationException',
      `1 validation error detected: Value '${text.slice(0, 200)}' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to ${LONGEST_NAME}`,
    );
  if (region !== undefined && region !== place.region)
    fail('ResourceNotFoundException', `Functions from '${region}' are not reachable in this region ('${place.region}')`);
  if (accountId !== undefined && accountId !== place.accountId) notFound(text);
  if (inName !== undefined && qualifier !== undefined && inName !== qualifier)
    fail(
      'InvalidParameterValueException',
      'The derived qualifier from the function name does not match the specified qualifier.',
    );
  const given = qualifier ?? inName;
  return { name, qualifier: given };
}

export const notFound = (arn: string): never => fail('ResourceNotFoundException', `Function not found: ${arn}`);

/** Of what is there once alone, whatever version: the request may name none but $LATEST. */
export function readUnqualified(text: string, place: Place, qualifier?: string): string {
  const read = readName(text, place, qualifier);
  if (read.qualifier !== undefined && read.qualifier !== LATEST)
    fail(
      'InvalidParameterValueException',
      `This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN: ${functionArn(place, read.name)}`,
    );
  return read.name;
}
