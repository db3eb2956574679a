/** A subscription of a session, as its record and its routes have it. */

export interface Subscription {
  /** As it was sent, `$share/...` included. */
  readonly filter: string;
  /** As granted: 0 or 1. */
  readonly qos: number;
  readonly noLocal: boolean;
}
