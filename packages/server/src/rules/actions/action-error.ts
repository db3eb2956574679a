/** The failure of an action. */

/** Why an action could not be done, in words for the rule's owner: no secret in them. */
export class ActionError extends Error {
  override readonly name = 'ActionError';
  /** Whether it may come right when it is tried again: the peer could not be reached, or asked for patience. */
  readonly passing: boolean;

  constructor(message: string, passing: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.passing = passing;
  }
}
