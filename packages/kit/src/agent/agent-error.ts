/** What the agent could not do. */

export type AgentErrorReason =
  /** The server could not be reached, or has closed the connection. */
  | 'connection'
  /** AWS IoT (or Thingkeep) has answered with a refusal. */
  | 'refused'
  /** No answer within the time for one. */
  | 'timeout'
  /** A message, a document or a file is not as it has to be. */
  | 'content'
  /** The library of the connection is not installed. */
  | 'missing-library';

export class AgentError extends Error {
  override readonly name = 'AgentError';
  readonly reason: AgentErrorReason;
  readonly hint: string | undefined;

  constructor(reason: AgentErrorReason, message: string, { hint, cause }: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause });
    this.reason = reason;
    this.hint = hint;
  }
}
