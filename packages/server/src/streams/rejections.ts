/** Rejected requests of devices (developer guide, page mqtt-based-file-delivery-in-devices). */
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import { ObjectFault } from '../objects/contract.ts';
import { TopicRejection } from '../payloads/topic-rejection.ts';

/** AWS's InvalidTopic is of topics that are none of a stream: requests on those are not served here. */
export type StreamRejectionCode =
  | 'InvalidJson'
  | 'InvalidCbor'
  | 'InvalidRequest'
  | 'Unauthorized'
  | 'BlockSizeOutOfBounds'
  | 'OffsetOutOfBounds'
  | 'BlockCountLimitExceeded'
  | 'BlockBitmapLimitExceeded'
  | 'ResourceNotFound'
  | 'VersionMismatch'
  | 'ETagMismatch'
  | 'InternalError';

export class StreamRejection extends TopicRejection<StreamRejectionCode> {}

export const reject = (code: StreamRejectionCode, message: string): never => {
  throw new StreamRejection(code, message);
};

const NOT_FOUND: ReadonlySet<string> = new Set(['NoSuchBucket', 'NoSuchKey', 'NoSuchVersion']);

/** Any failure as a rejection; what is not the device's or the role's fault has a cause, for the log. */
export function streamRejectionOf(error: unknown): StreamRejection {
  if (error instanceof StreamRejection) return error;
  if (error instanceof ObjectFault) {
    if (error.code === 'AccessDenied') return new StreamRejection('Unauthorized', error.message);
    if (NOT_FOUND.has(error.code)) return new StreamRejection('ResourceNotFound', error.message);
  }
  if (error instanceof ThingkeepError && error.code === 'AccessDeniedException')
    return new StreamRejection('Unauthorized', 'The role of the stream can not be assumed by AWS IoT.');
  return new StreamRejection('InternalError', 'The file can not be read now: try again.', error);
}
