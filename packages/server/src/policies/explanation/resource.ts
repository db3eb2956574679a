/** In what a statement's Resource differs from a resource that was asked for. */
import type { PolicyToken } from '@thingkeep/wire/documents/policy-text.ts';
import type { CompiledStatement, ResourceTemplate } from '../compile.ts';
import type { Lookup } from '../context.ts';
import type { DeniedRequest, Difference } from './denied-request.ts';
import { explainVariable } from './variable.ts';
import { Pattern, type PatternToken } from '../pattern.ts';
import { oneOf, resourceText, shortened, tokensText } from './quote.ts';
import { bindResources, headOf } from '../resources.ts';
import { substitute, variableValue } from '../substitute.ts';

const PARTS = ['arn', 'partition', 'service', 'region', 'account'] as const;
const RESOURCE = 5;

export function resourceDifference(statement: CompiledStatement, request: DeniedRequest): Difference | undefined {
  const { resource, lookup } = request;
  const head = headOf(resource);
  if (bindResources(statement, lookup).match(head, resource, head.length)) return undefined;
  const texts = statement.resources.map(resourceText);
  if (statement.notResources) return { text: `its NotResource ${oneOf(texts)} leaves ${shortened(resource)} out`, distance: 6 };
  const [nearest] = statement.resources
    .map((template) => templateDifference(template, request))
    .sort((one, other) => one.distance - other.distance);
  return nearest ?? { text: 'it has no Resource', distance: 6 };
}

/** The six parts of an ARN; a resource keeps its colons. */
function partsOf(resource: string): readonly string[] {
  const parts = resource.split(':');
  return [...parts.slice(0, RESOURCE), parts.slice(RESOURCE).join(':')];
}

function templateDifference(template: ResourceTemplate, request: DeniedRequest): Difference {
  const written = shortened(resourceText(template));
  const text = /\s/.test(written) ? `"${written}"` : written;
  if (template === '*' || template.length <= RESOURCE) return { text: `its Resource ${text} is no ARN`, distance: 8 };
  const asked = partsOf(request.resource);
  if (!request.resource.startsWith('arn:'))
    return { text: `its Resource is ${text}, and ${request.action} is asked for ${request.resource} alone`, distance: 6 };
  const found = [
    ...template
      .slice(0, RESOURCE)
      .map((tokens, part) => headDifference(PARTS[part] ?? '', tokens, asked[part] ?? '', request.lookup)),
    nameDifference(template[RESOURCE] ?? [], asked[RESOURCE] ?? '', request),
  ].filter((difference) => difference !== undefined);
  return {
    text: `its Resource ${text} ${found.map((difference) => difference.text).join(', and ')}`,
    distance: found.reduce((sum, { distance }) => sum + distance, 0),
  };
}

function headDifference(part: string, tokens: readonly PolicyToken[], asked: string, lookup: Lookup): Difference | undefined {
  const bound = substitute(tokens, lookup, 'nothing');
  if (bound === undefined) return { text: unresolved(tokens, lookup), distance: 2 };
  if (new Pattern(bound).matches(asked)) return undefined;
  const given = tokensText(tokens);
  return { text: `has the ${part} ${given === '' ? 'left empty' : given}, and ${asked} was asked for`, distance: 2 };
}

const unresolved = (tokens: readonly PolicyToken[], lookup: Lookup): string => {
  const variable = tokens.find((token) => token.kind === 'variable' && variableValue(token.name, lookup) === undefined);
  return `matches nothing, as ${explainVariable(variable?.kind === 'variable' ? variable.name : '', lookup)}`;
};

/** The type in front of the first slash of a resource, such as `topic` in `topic/a/b`. */
const typeOf = (resource: string): string => /^[^/*?]*/.exec(resource)?.[0] ?? '';

function nameDifference(
  tokens: readonly PolicyToken[],
  asked: string,
  { action, lookup }: DeniedRequest,
): Difference | undefined {
  const bound = substitute(tokens, lookup, 'nothing');
  if (bound === undefined) return { text: unresolved(tokens, lookup), distance: 2 };
  if (new Pattern(bound).matches(asked)) return undefined;
  const pattern = tokensText(bound);
  const [type, given] = [typeOf(asked), typeOf(pattern)];
  if (given !== type && typeMisses(pattern, type)) {
    const begin = pattern[given.length] === '/' ? `${given}/` : given;
    const isTypeAlone = new Pattern(bound).matches(given + asked.slice(type.length));
    return {
      text: `begins with ${begin}, and ${action} takes ${type}/${isTypeAlone ? `: write ${type}/` : 'NAME'}`,
      distance: isTypeAlone ? 2 : 5,
    };
  }
  const unshared = asked.replace(/^topicfilter\/\$share\/[^/]*\//, 'topicfilter/');
  if (unshared !== asked && new Pattern(bound).matches(unshared))
    return { text: `leaves out the group of a shared subscription: write ${shortened(asked)}`, distance: 1 };
  const slip = slipOf(bound, pattern, asked, type);
  if (slip !== undefined) return { text: slip, distance: 1 };
  const name = asked.slice(type.length + 1);
  const value = tokens.some(({ kind }) => kind === 'variable') ? ` (here ${shortened(pattern)})` : '';
  return { text: `is not for ${nounOf(type)} ${shortened(name)}${value}`, distance: 3 + 3 * unlike(pattern, asked) };
}

/** Whether a pattern can match no resource of the type. */
const typeMisses = (pattern: string, type: string): boolean => {
  const given = typeOf(pattern);
  return pattern.length === given.length || pattern[given.length] === '/' || !type.startsWith(given);
};

const NOUNS: Readonly<Record<string, string>> = {
  client: 'the client id',
  topic: 'the topic',
  topicfilter: 'the topic filter',
  thing: 'the thing',
  rolealias: 'the role alias',
};
const nounOf = (type: string): string => NOUNS[type] ?? `the ${type}`;

const tokensOf = (text: string): readonly PatternToken[] =>
  text
    .split('*')
    .flatMap((piece, index): PatternToken[] => [
      ...(index === 0 ? [] : [{ kind: 'run' } as const]),
      { kind: 'text', text: piece },
    ]);

/** A slip that many make, when with it mended the pattern matches. */
function slipOf(bound: readonly PatternToken[], pattern: string, asked: string, type: string): string | undefined {
  const mended = (text: string): boolean => new Pattern(tokensOf(text)).matches(asked);
  if (/[+#]/.test(pattern) && type === 'topic' && mended(pattern.replace(/[+#]/g, '*')))
    return 'has MQTT wildcards, which match themselves alone in a policy: write * for them';
  const folded = bound.map((token) => (token.kind === 'text' ? { ...token, text: token.text.toLowerCase() } : token));
  if (new Pattern(folded).matches(asked.toLowerCase())) return `differs in upper and lower case from ${shortened(asked)}`;
  if (mended(`${pattern}*`)) return `ends before the end of ${shortened(asked)}: end it with * for all that begin with it`;
  if (mended(pattern.replace('/', '//'))) return `has no slash at the begin of the name, and ${shortened(asked)} has one`;
  if (mended(pattern.replace('//', '/')))
    return `has a slash too many at the begin of the name: ${shortened(asked)} was asked for`;
  if (mended(pattern.trim()) || mended(pattern.replace(/\s/g, ''))) return 'has a space that the name does not have';
  if (mended(pattern.replace(/\/\*$/, ''))) return `needs a name that goes on behind ${shortened(asked)}/`;
  return undefined;
}

/** 0 for texts that begin and end alike, 1 for those that share nothing. */
function unlike(pattern: string, asked: string): number {
  const length = Math.max(pattern.length, asked.length, 1);
  let begin = 0;
  while (begin < length && pattern[begin] === asked[begin]) begin += 1;
  let end = 0;
  while (end < length - begin && pattern.at(-1 - end) === asked.at(-1 - end)) end += 1;
  return 1 - Math.min(begin + end, length) / length;
}
