/** Damaged records that were met while the store was in use: each is told once. */
import { type Damage, nameOfDamage } from '../damage.ts';

/** Names that are remembered and told; a file that is damaged all over has more. */
const MAX_NAMES = 1_000;

export class DamageList {
  readonly #told = new Set<string>();
  readonly #tell: (damage: Damage) => void;

  constructor(tell: (damage: Damage) => void) {
    this.#tell = tell;
  }

  note(damage: Damage): void {
    const name = nameOfDamage(damage);
    if (this.#told.has(name) || this.#told.size >= MAX_NAMES) return;
    this.#told.add(name);
    this.#tell(damage);
  }
}
