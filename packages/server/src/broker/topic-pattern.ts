/** Patterns of reserved topics with named parts: `$aws/things/{thingName}/shadow/get`. A part is one level, and not empty. */
import { clientMayPublish } from '@thingkeep/wire/topics.ts';

const nameOf = (level: string): string | undefined => /^\{(\w+)\}$/.exec(level)?.[1];

export class TopicPattern {
  readonly text: string;
  readonly #levels: readonly { readonly literal: string; readonly name: string | undefined }[];

  constructor(text: string) {
    this.text = text;
    this.#levels = text.split('/').map((level) => ({ literal: level, name: nameOf(level) }));
  }

  /** As a topic filter. */
  get filter(): string {
    return this.#levels.map(({ literal, name }) => (name === undefined ? literal : '+')).join('/');
  }

  /** Whether clients may publish on the topics of this pattern at all. */
  get isForRequests(): boolean {
    return this.text.startsWith('$') && clientMayPublish(this.#levels.map(({ literal, name }) => name ?? literal).join('/'));
  }

  /** The named parts of a topic, given by its levels; undefined where it is none of this pattern. */
  match(levels: readonly string[]): Record<string, string> | undefined {
    const own = this.#levels;
    if (levels.length !== own.length) return undefined;
    // The last levels tell most patterns apart.
    for (let i = own.length - 1; i >= 0; i -= 1) {
      const { literal, name } = own[i] ?? { literal: '', name: undefined };
      if (name === undefined ? levels[i] !== literal : levels[i] === '') return undefined;
    }
    const parts: Record<string, string> = {};
    for (const [i, { name }] of own.entries()) if (name !== undefined) parts[name] = levels[i] ?? '';
    return parts;
  }

  /** Whether some topic could be of both patterns. */
  overlaps(other: TopicPattern): boolean {
    const theirs = other.#levels;
    return (
      theirs.length === this.#levels.length &&
      this.#levels.every(({ literal, name }, i) => {
        const their = theirs[i];
        return name !== undefined || their?.name !== undefined || their?.literal === literal;
      })
    );
  }
}
