/** Substitution templates: text with expressions, evaluated on the original message (page iot-substitution-templates). */
import type { Scope, Template } from './contract.ts';
import { type Evaluation, evaluate } from './evaluation.ts';
import type { Evaluate } from './functions/definition.ts';

export type Part = string | Evaluate;

export class RuleTemplate implements Template {
  readonly constant: string | undefined;
  readonly #parts: readonly Part[];

  constructor(text: string, parts: readonly Part[]) {
    this.constant = parts.every((part) => typeof part === 'string') ? text : undefined;
    this.#parts = parts;
  }

  render(scope: Scope): string | Promise<string> {
    return this.constant ?? evaluate(scope as Evaluation, this.#text);
  }

  /** Undefined and Null are the empty text. */
  readonly #text = (evaluation: Evaluation): string => {
    let text = '';
    for (const part of this.#parts) {
      text += typeof part === 'string' ? part : (evaluation.text(part(evaluation)) ?? '');
      evaluation.bound(text.length);
    }
    return text;
  };
}
