/** Why a request on a shadow is rejected, with code and text as devices see them (page device-shadow-error-messages). */
import type { ErrorCode } from '@thingkeep/wire/errors.ts';
import { DISK_LOW } from '../runtime/disk-failure.ts';

export class ShadowRejection extends Error {
  override readonly name = 'ShadowRejection';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

const reject = (code: number, message: string): ShadowRejection => new ShadowRejection(code, message);

export const invalidJson = (): ShadowRejection => reject(400, 'Invalid JSON');
export const missingState = (): ShadowRejection => reject(400, 'Missing required node: state');
export const notAnObject = (node: 'State' | 'Desired' | 'Reported'): ShadowRejection =>
  reject(400, `${node} node must be an object`);
/** Characters of a name that a text repeats. */
const MAX_SHOWN = 64;
export const invalidNode = (name: string): ShadowRejection =>
  reject(400, `State contains an invalid node: '${name.slice(0, MAX_SHOWN)}'`);
export const invalidVersion = (): ShadowRejection => reject(400, 'Invalid version');
export const invalidClientToken = (): ShadowRejection => reject(400, 'Invalid clientToken');
export const tooDeep = (most: number): ShadowRejection =>
  reject(400, `JSON contains too many levels of nesting; maximum is ${most}`);
export const nullInArray = (): ShadowRejection => reject(400, 'State contains an invalid node: arrays may not contain null');
export const invalidName = (of: 'thing' | 'shadow'): ShadowRejection => reject(400, `Invalid ${of} name`);
export const noShadow = (name: string): ShadowRejection => reject(404, `No shadow exists with name: '${name}'`);
export const versionConflict = (): ShadowRejection => reject(409, 'Version conflict');
export const tooLarge = (): ShadowRejection => reject(413, 'The payload exceeds the maximum size allowed');
export const notUtf8 = (): ShadowRejection => reject(415, 'Unsupported documented encoding; supported encoding is UTF-8');
export const tooManyRequests = (): ShadowRejection => reject(429, 'Too Many Requests');
export const tooManyShadows = (of: 'account' | 'thing', limit: number): ShadowRejection =>
  reject(429, `The ${of} has ${limit} shadows, as many as it may have`);
export const diskLow = (): ShadowRejection => reject(503, DISK_LOW);
export const internalFailure = (): ShadowRejection => reject(500, 'Internal service failure');

/** The error of the HTTP API for a rejection's code. */
export const ERROR_CODES: ReadonlyMap<number, ErrorCode> = new Map([
  [400, 'InvalidRequestException'],
  [404, 'ResourceNotFoundException'],
  [409, 'ConflictException'],
  [413, 'RequestEntityTooLargeException'],
  [415, 'UnsupportedDocumentEncodingException'],
  [429, 'ThrottlingException'],
  [500, 'InternalFailureException'],
  [503, 'ServiceUnavailableException'],
]);
