/** What a store says of a record that is not as it was written. */
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { Key } from './contract.ts';

/** A stored record, or row, whose checksum does not fit. */
export interface Damage {
  readonly collection: string;
  readonly key: Key;
}

export const nameOfDamage = ({ collection, key }: Damage): string => `${collection} ${JSON.stringify(key)}`;

/**
 * A damaged record was asked for. It is refused alone: what else is stored is served on. The message names it, so that
 * its owner can ask the operator.
 */
export class DamagedRecordError extends ThingkeepError {
  readonly damage: Damage;
  /** For the log: where the program asked for the record says nothing of the damage. */
  readonly stackless = true;

  constructor(damage: Damage) {
    super(
      'InternalFailureException',
      `A stored record is damaged and is not served: ${nameOfDamage(damage)}. The operator finds it with thingkeep check.`,
    );
    this.damage = damage;
  }
}
