/** What the doctor finds: a line for each thing that stands between an element and a connection, and what to do about it. */

export type FindingStatus =
  /** As it has to be. */
  | 'good'
  /** Works, and will not always. */
  | 'warning'
  /** In the way of a connection. */
  | 'bad'
  /** Could not be looked at, since something before it is in the way or was not named. */
  | 'skipped';

export interface Finding {
  readonly check: string;
  readonly status: FindingStatus;
  readonly text: string;
  /** What to do. */
  readonly hint?: string;
}

export const good = (check: string, text: string): Finding => ({ check, status: 'good', text });
export const warning = (check: string, text: string, hint: string): Finding => ({ check, status: 'warning', text, hint });
export const bad = (check: string, text: string, hint?: string): Finding => ({ check, status: 'bad', text, hint });
export const skipped = (check: string, text: string): Finding => ({ check, status: 'skipped', text });
