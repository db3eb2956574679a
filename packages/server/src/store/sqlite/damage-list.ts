/** Damaged records that were met while the store was in use: each is told once. */
import { type Damage, nameOfDamage } from '../damage.ts';

/** Names that are remembered; those of a file that is damaged all over are counted alone. */
const MAX_NAMES = 1_000;

export class DamageList {
  readonly #told = new Set<string>();
  readonly #tell: (damage: Damage) => void;

  constructor(tell: (damage: Damage) => void) {
    this.#tell = tell;
  }

  /** Damaged records met so far, at most {@link MAX_NAMES}. */
  get count(): number {
    return this.#told.size;
  }

  note(damage: Damage): void {
    const name = nameOfDamage(damage);
    if (this.#told.has(name) || this.#told.size >= MAX_NAMES) return;
    this.#told.add(name);
    this.#tell(damage);
  }
}
