/** The public members of classes, read from the text: fields, accessors and methods that are neither `#private` nor `private`. */
import { isTestMaterial, type Source } from './sources.ts';

export interface ClassMembers {
  readonly name: string;
  /** A name stands once, also where it has a getter and a setter. */
  readonly members: readonly string[];
}

const MAX_MEMBERS = 20;

const CLASS = /^(?:export )?(?:default )?(?:abstract )?class (\w+)/;
const MEMBER =
  /^ {2}(?:(?:public|protected|static|override|readonly|abstract|declare|accessor|async|get|set) |\*)*(\[[^\]]+\]|'[^']+'|\w+)[?!]?(?:[<(:;]| =|$)/;

/** Classes of a source in the formatter's layout: a member begins two columns in, and a class ends with a brace in the first. */
export function classesOf({ code }: Pick<Source, 'code'>): ClassMembers[] {
  const found: { name: string; members: Set<string> }[] = [];
  let open = false;
  for (const line of code.split('\n')) {
    const name = CLASS.exec(line)?.[1];
    if (name !== undefined) {
      found.push({ name, members: new Set() });
      open = !line.endsWith('{}');
    } else if (line.startsWith('}')) open = false;
    else if (open && !/^ {2}(?:static )?private /.test(line)) {
      const member = MEMBER.exec(line)?.[1];
      if (member !== undefined && member !== 'constructor') found.at(-1)?.members.add(member);
    }
  }
  return found.map(({ name: of, members }) => ({ name: of, members: [...members] }));
}

export const memberFaults = (sources: readonly Source[]): string[] =>
  sources
    .filter(({ path }) => !isTestMaterial(path))
    .flatMap((source) =>
      classesOf(source)
        .filter(({ members }) => members.length > MAX_MEMBERS)
        .map(
          ({ name, members }) =>
            `${source.path}: ${name} has ${members.length} public members, over ${MAX_MEMBERS}: it is two classes (${members.join(', ')})`,
        ),
    );
