/** Damaged records that were met while the store was in use: each is told once. */
import { type Damage, nameOfDamage } from '../damage.ts';

/** Names that are remembered and told; a file that is damaged all over has more. */
const MAX_NAMES = 1_000;

export class DamageList {
  readonly #reported = new Set<string>();
  readonly #onDamage: (damage: Damage) => void;

  constructor(onDamage: (damage: Damage) => void) {
    this.#onDamage = onDamage;
  }

  note(damage: Damage): void {
    const name = nameOfDamage(damage);
    if (this.#reported.has(name) || this.#reported.size >= MAX_NAMES) return;
    this.#reported.add(name);
    this.#onDamage(damage);
  }
}
