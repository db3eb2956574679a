/**
 * A statement's resources, bound to a connection. An ARN is compared part by part, so that a wildcard for the account
 * can't reach into the resource (IAM user guide, page reference_policies_elements_resource). The five parts before the
 * resource are the same for nearly every decision: their answer is kept, and only the resource is matched each time.
 */
import type { CompiledStatement, ResourceTemplate } from './compile.ts';
import type { Lookup } from './context.ts';
import { Pattern } from './pattern.ts';
import { substitute, type Unresolved } from './substitute.ts';

const HEAD_PARTS = 5;

/** The text before the resource of an ARN, with its last colon; empty when `resource` is no ARN. */
export function headOf(resource: string): string {
  let at = 0;
  for (let part = 0; part < HEAD_PARTS; part += 1) {
    const colon = resource.indexOf(':', at);
    if (colon < 0) return '';
    at = colon + 1;
  }
  return resource.startsWith('arn:') ? resource.slice(0, at) : '';
}

interface BoundArn {
  readonly head: readonly Pattern[];
  readonly resource: Pattern;
}

export class BoundResources {
  readonly #everything: boolean;
  readonly #negated: boolean;
  readonly #arns: readonly BoundArn[];
  #head: string | undefined;
  /** Patterns of those ARNs whose head is the current one. */
  #patterns: readonly Pattern[] = [];

  constructor(everything: boolean, negated: boolean, arns: readonly BoundArn[]) {
    this.#everything = everything;
    this.#negated = negated;
    this.#arns = arns;
  }

  /** Whether the statement is about the resource that `text` holds from `from` on, in an ARN that begins with `head`. */
  match(head: string, text: string, from: number): boolean {
    if (this.#everything) return !this.#negated;
    if (head !== this.#head) this.#focus(head);
    const patterns = this.#patterns;
    for (let index = 0; index < patterns.length; index += 1) {
      if (patterns[index]?.matches(text, from)) return !this.#negated;
    }
    return this.#negated;
  }

  #focus(head: string): void {
    const parts = head.split(':');
    this.#head = head;
    this.#patterns =
      head === ''
        ? []
        : this.#arns
            .filter((arn) => arn.head.every((pattern, index) => pattern.matches(parts[index] ?? '')))
            .map((arn) => arn.resource);
  }
}

function bindArn(template: Exclude<ResourceTemplate, '*'>, lookup: Lookup, unresolved: Unresolved): readonly BoundArn[] {
  const parts: Pattern[] = [];
  for (const tokens of template) {
    const substituted = substitute(tokens, lookup, unresolved);
    if (substituted === undefined) return [];
    parts.push(new Pattern(substituted));
  }
  const resource = parts[HEAD_PARTS];
  return resource === undefined ? [] : [{ head: parts.slice(0, HEAD_PARTS), resource }];
}

export function bindResources(statement: CompiledStatement, lookup: Lookup): BoundResources {
  // A match takes permissions away in a Deny, and in an Allow by NotResource; in both, doubt matches.
  const unresolved: Unresolved = statement.deny !== statement.notResources ? 'anything' : 'nothing';
  const arns = statement.resources.flatMap((template) => (template === '*' ? [] : bindArn(template, lookup, unresolved)));
  return new BoundResources(statement.resources.includes('*'), statement.notResources, arns);
}
