/**
 * The error vocabulary: one class, one table. A code is AWS's exception name; its row says how each edge shows it.
 * HTTP statuses that differ between services (ThrottlingException) are overridden by the operation table, which
 * carries what each operation declares. Source: service models of iot, iot-data and iot-jobs-data; MQTT 5 section 2.4.
 */

import type { Decision } from './api/authorization.ts';
import type { NeededPermission } from './api/data-permissions.ts';

interface ErrorRow {
  /** HTTP status where the operation does not declare another. */
  readonly http: number;
  /** MQTT 5 reason code that a device sees when the same thing goes wrong on a connection. */
  readonly mqtt: number;
}

const row = (http: number, mqtt = 0x80): ErrorRow => ({ http, mqtt });

export const ERRORS = {
  // Declared by the service models.
  CertificateConflictException: row(409),
  CertificateStateException: row(406),
  CertificateValidationException: row(400),
  ConflictException: row(409),
  ConflictingResourceUpdateException: row(409),
  DeleteConflictException: row(409),
  ForbiddenException: row(403, 0x87),
  GatewayTimeoutException: row(504),
  IndexNotReadyException: row(400),
  InternalException: row(500),
  InternalFailureException: row(500),
  InternalServerException: row(500),
  InvalidAggregationException: row(400),
  InvalidQueryException: row(400),
  InvalidRequestException: row(400),
  InvalidResponseException: row(400),
  InvalidStateTransitionException: row(409),
  LimitExceededException: row(410, 0x97),
  MalformedPolicyException: row(400),
  MethodNotAllowedException: row(405),
  NotConfiguredException: row(404),
  RegistrationCodeValidationException: row(400),
  RequestEntityTooLargeException: row(413, 0x95),
  ResourceAlreadyExistsException: row(409),
  ResourceNotFoundException: row(404),
  ResourceRegistrationFailureException: row(400),
  ServiceQuotaExceededException: row(402, 0x97),
  ServiceUnavailableException: row(503, 0x88),
  SqlParseException: row(400),
  TaskAlreadyExistsException: row(400),
  TerminalStateException: row(410),
  ThrottlingException: row(400, 0x97),
  TransferAlreadyCompletedException: row(410),
  TransferConflictException: row(409),
  UnauthorizedException: row(401, 0x87),
  UnsupportedDocumentEncodingException: row(415, 0x99),
  ValidationException: row(400),
  VersionConflictException: row(409),
  VersionsLimitExceededException: row(409),
  // Of the front end that all AWS services share; in no service model.
  AccessDeniedException: row(403, 0x87),
  ExpiredTokenException: row(403, 0x87),
  IncompleteSignatureException: row(400),
  InvalidClientTokenId: row(403),
  InvalidAction: row(400),
  InvalidSignatureException: row(403, 0x87),
  MissingAuthenticationTokenException: row(403, 0x87),
  RequestExpired: row(400),
  SignatureDoesNotMatch: row(403),
  UnknownOperationException: row(404),
  UnrecognizedClientException: row(403, 0x87),
  // Of AWS Certificate Manager alone; its protocol answers every mistake of the caller with 400.
  InvalidArgsException: row(400),
  InvalidArnException: row(400),
  InvalidParameterException: row(400),
  InvalidTagException: row(400),
  ResourceInUseException: row(400),
  TooManyTagsException: row(400),
  // Of Lambda.
  CodeStorageExceededException: row(400),
  InvalidParameterValueException: row(400),
  InvalidRequestContentException: row(400),
  InvalidRuntimeException: row(502),
  InvalidZipFileException: row(502),
  PolicyLengthExceededException: row(400),
  PreconditionFailedException: row(412),
  RequestTooLargeException: row(413),
  ResourceConflictException: row(409),
  ServiceException: row(500),
  TooManyRequestsException: row(429),
  // Of IAM and STS: the query protocol names an error by its code.
  DeleteConflict: row(409),
  EntityAlreadyExists: row(409),
  InvalidInput: row(400),
  InvalidUserType: row(400),
  LimitExceeded: row(409),
  MalformedPolicyDocument: row(400),
  NoSuchEntity: row(404),
  PackedPolicyTooLarge: row(400),
  PasswordPolicyViolation: row(400),
  PolicyNotAttachable: row(400),
  ServiceFailure: row(500),
  UnmodifiableEntity: row(400),
  ValidationError: row(400),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

/** Members that an exception carries beside its message (`resourceId`, `resourceArn`, ...), as the model names them. */
export type ErrorMembers = Readonly<Record<string, string | number | undefined>>;

/** An error whose `message` may be shown to the caller; `cause` is for the log alone. */
export class ThingkeepError extends Error {
  readonly code: ErrorCode;
  readonly members: ErrorMembers;

  constructor(code: ErrorCode, message: string, members: ErrorMembers = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = code;
    this.code = code;
    this.members = members;
  }
}

interface Notes {
  /** What to do, in sentences. */
  readonly advice?: string;
  /** Account of the key that a request names, proven or not. */
  readonly accountId?: string;
  /** What policies were asked, and what they answered. */
  readonly permission?: NeededPermission;
  readonly decision?: Decision;
}

/** What the record of a refusal has beside the message of its error: the error's `cause`, which no caller sees. */
export class RefusalNotes implements Notes {
  readonly advice?: string;
  readonly accountId?: string;
  readonly permission?: NeededPermission;
  readonly decision?: Decision;

  constructor(notes: Notes) {
    Object.assign(this, notes);
  }
}

/** The notes of an error; none for an error without any. */
export const notesOf = (error: unknown): Notes =>
  error instanceof ThingkeepError && error.cause instanceof RefusalNotes ? error.cause : {};

/** The message of an error as it is recorded: with the advice that it may have. */
export function recordedMessage(error: ThingkeepError): string {
  const { advice } = notesOf(error);
  if (advice === undefined) return error.message;
  const message = error.message.trim();
  return `${message}${/[.!?]$/.test(message) ? '' : '.'} ${advice}`;
}

/** Throws a {@link ThingkeepError}. */
export function fail(code: ErrorCode, message: string, members?: ErrorMembers, cause?: unknown): never {
  throw new ThingkeepError(code, message, members, cause);
}

/** What an error says; anything may be thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
