/**
 * Which error code answers for an operation when no handler has chosen one: bad input, and our own failure. An SDK only
 * types what the operation declares, so the answer comes from its declared errors.
 */
import { ERRORS, type ErrorCode } from '../errors.ts';
import type { Operation } from './table.ts';

/**
 * For bad input, best first. Five operations take no input and declare neither of the first two; of what they declare, "not
 * found" reads as success to a caller that deletes, and throttling makes SDKs try again, so those come last.
 */
const BAD_INPUT: readonly ErrorCode[] = [
  'InvalidRequestException',
  'ValidationException',
  'UnauthorizedException',
  'NotConfiguredException',
  'ResourceNotFoundException',
  'ThrottlingException',
];

const OWN_FAILURE: readonly ErrorCode[] = [
  'InternalFailureException',
  'InternalException',
  'InternalServerException',
  'ServiceException',
  'ServiceUnavailableException',
];

/**
 * Codes that any request may meet before its operation is reached; they come from the front end that all AWS services
 * share and no service model declares them (General Reference, Common Errors).
 */
const FRONT_END: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'AccessDeniedException',
  'ExpiredTokenException',
  'ForbiddenException',
  'IncompleteSignatureException',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'RequestEntityTooLargeException',
  'RequestExpired',
  'ServiceUnavailableException',
  'UnknownOperationException',
  'UnrecognizedClientException',
]);

const declared = (operation: Operation, codes: readonly ErrorCode[]): ErrorCode | undefined =>
  codes.find((code) => Object.hasOwn(operation.errors, code));

export const badInputCode = (operation: Operation): ErrorCode => declared(operation, BAD_INPUT) ?? 'InvalidRequestException';

export const ownFailureCode = (operation: Operation | undefined): ErrorCode =>
  (operation && declared(operation, OWN_FAILURE)) ?? 'InternalFailureException';

/** Whether a client of this operation may meet the code. Without an operation only the front end speaks. */
export const mayAnswer = (operation: Operation | undefined, code: ErrorCode): boolean =>
  FRONT_END.has(code) || operation === undefined || Object.hasOwn(operation.errors, code);

/** The operation's own status where it declares the code (ThrottlingException is 400 for `iot`, 429 for `iot-data`). */
export const statusOf = (operation: Operation | undefined, code: ErrorCode): number =>
  (operation && Object.hasOwn(operation.errors, code) ? operation.errors[code] : undefined) ?? ERRORS[code].http;
