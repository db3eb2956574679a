/** A device's request on a reserved topic that is rejected: code and text are for the device, a cause is for the log. */
export class TopicRejection<Code extends string> extends Error {
  override readonly name = 'TopicRejection';
  readonly code: Code;

  constructor(code: Code, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
