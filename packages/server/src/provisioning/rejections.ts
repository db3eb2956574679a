/**
 * Rejected requests of fleet provisioning: what the device is told (developer guide, page fleet-provision-api, has no list of
 * codes).
 */
import { type ErrorCode, ThingkeepError } from '@thingkeep/wire/errors.ts';

const STATUS_CODES = {
  InvalidRequest: 400,
  InvalidParameters: 400,
  InvalidCertificateOwnershipToken: 400,
  AccessDenied: 403,
  ResourceNotFound: 404,
  Throttled: 429,
  InternalFailure: 500,
} as const;

export type RejectionCode = keyof typeof STATUS_CODES;

export class ProvisioningRejection extends Error {
  override readonly name = 'ProvisioningRejection';
  readonly errorCode: RejectionCode;
  /** For the owner of the account, where the device is told less. */
  readonly reason: string;

  constructor(errorCode: RejectionCode, message: string, reason = message, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.errorCode = errorCode;
    this.reason = reason;
  }

  /** The payload of the answer. */
  get payload(): { readonly statusCode: number; readonly errorCode: string; readonly errorMessage: string } {
    return { statusCode: STATUS_CODES[this.errorCode], errorCode: this.errorCode, errorMessage: this.message };
  }
}

const CODES: Partial<Readonly<Record<ErrorCode, RejectionCode>>> = {
  InvalidRequestException: 'InvalidRequest',
  CertificateValidationException: 'InvalidRequest',
  ResourceRegistrationFailureException: 'InvalidRequest',
  ConflictingResourceUpdateException: 'InvalidRequest',
  ResourceNotFoundException: 'ResourceNotFound',
  ThrottlingException: 'Throttled',
  LimitExceededException: 'Throttled',
};

/** Any failure as a rejection. What the device can't mend is told to it in general words. */
export function rejectionOf(error: unknown): ProvisioningRejection {
  if (error instanceof ProvisioningRejection) return error;
  if (!(error instanceof ThingkeepError))
    return new ProvisioningRejection('InternalFailure', 'The request could not be served.', undefined, error);
  const { code, message } = error;
  if (code === 'UnauthorizedException')
    return new ProvisioningRejection('AccessDenied', 'The provisioning role is not authorized.', message, error);
  const known = CODES[code];
  if (known !== undefined) return new ProvisioningRejection(known, message, message, error);
  return new ProvisioningRejection('InternalFailure', 'The request could not be served.', message, error);
}
