/**
 * Objects as the rest of the server knows them, be they in the embedded store or in one that speaks S3's API: what is known of
 * one, its bytes, and the faults.
 */
import type { CallerPermissions } from '@thingkeep/wire/api/authorization.ts';
import type { Place } from '@thingkeep/wire/arn.ts';

export interface ObjectName {
  readonly bucket: string;
  readonly key: string;
}

/** An object, or one of its versions, where the store keeps any. */
export interface ObjectVersion extends ObjectName {
  readonly version?: string | undefined;
}

/** What is known of an object beside its bytes. */
export interface ObjectFacts {
  readonly size: number;
  /** With quotation marks, as S3 has it. */
  readonly etag: string;
  /** Milliseconds since the epoch. */
  readonly lastModified: number;
  readonly contentType?: string | undefined;
}

/** An object that is open until it is disposed of, be it read or not. */
export interface OpenedObject extends ObjectFacts, Disposable {
  /** The bytes from the place that was asked for; fails with an ObjectFault where they do not come. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** Faults of objects by S3's error codes; `message` may be shown to the caller. */
export class ObjectFault extends Error {
  override readonly name = 'ObjectFault';
  readonly code: ObjectFaultCode;

  constructor(code: ObjectFaultCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The status of each code (S3 API reference, page ErrorResponses). */
export const OBJECT_FAULTS = {
  AccessDenied: 403,
  BadDigest: 400,
  BucketAlreadyExists: 409,
  BucketAlreadyOwnedByYou: 409,
  BucketNotEmpty: 409,
  EntityTooLarge: 400,
  IllegalLocationConstraintException: 400,
  IncompleteBody: 400,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidDigest: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  KeyTooLongError: 400,
  MalformedXML: 400,
  MetadataTooLarge: 400,
  MethodNotAllowed: 405,
  MissingContentLength: 411,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NoSuchVersion: 404,
  NotImplemented: 501,
  PreconditionFailed: 412,
  QuotaExceeded: 403,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  SlowDown: 503,
  TooManyBuckets: 400,
  XAmzContentSHA256Mismatch: 400,
} as const;

export type ObjectFaultCode = keyof typeof OBJECT_FAULTS;

export const objectFault = (code: ObjectFaultCode, message: string): never => {
  throw new ObjectFault(code, message);
};

/** The role that asks. */
export interface AskingRole {
  readonly place: Place;
  readonly roleArn: string;
  /** What it may do. */
  readonly permissions: CallerPermissions;
}

export interface UrlRequest {
  readonly method: 'GET' | 'PUT';
  readonly name: ObjectName;
  readonly versionId?: string | undefined;
  readonly expiresInSec: number;
}

/** Gives a URL that counts with the rights of a role, for as long as is asked; fails with an ObjectFault. */
export type UrlSigner = (request: UrlRequest) => string;

/** What a domain has URLs of objects signed by, for devices to use. */
export interface ObjectUrls {
  /** What signs the URLs of one document, by one session of the role. */
  signerOf(role: AskingRole): Promise<UrlSigner>;
}

/** Names of buckets at S3, those of before 2018 too (S3 user guide, page bucketnamingrules). */
const BUCKET = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,254}$/;

/** Whether a key has a step that is `.` or `..`. */
const hasDotStep = (key: string): boolean => /(^|\/)\.{1,2}(\/|$)/.test(key);

/**
 * Whether an object has the same name in a URL: rights are asked for the name, and whatever reads the URL (a client, a proxy
 * before the store) may resolve steps of it.
 */
export const isPlainName = ({ bucket, key }: ObjectName): boolean => BUCKET.test(bucket) && !hasDotStep(key);

/** Fails for a name that is another one in a URL. */
export function refuseOddName(name: ObjectName): void {
  if (isPlainName(name)) return;
  objectFault('InvalidRequest', 'The name of the bucket, or a step of the key that is . or .., can not be part of a URL.');
}

/** Fails with AccessDenied where the role may not read the object. */
export function refuseReading({ permissions, roleArn }: AskingRole, { bucket, key, version }: ObjectVersion): void {
  const resource = `arn:aws:s3:::${bucket}/${key}`;
  const action = version === undefined ? 's3:GetObject' : 's3:GetObjectVersion';
  if (permissions.decide(action, resource).effect !== 'ALLOWED')
    objectFault('AccessDenied', `${roleArn} is not authorized to perform: ${action} on resource: ${resource}`);
}

/** What a domain reads objects by. */
export interface RoleObjects {
  /** Opens an object behind `from` bytes, up to `to` bytes where that is given; fails with an ObjectFault. */
  open(role: AskingRole, name: ObjectVersion, from: number, to?: number): Promise<OpenedObject>;
}
