/** In what a statement's Resource differs from a resource that was asked for. */
import { parsePolicyText, type PolicyToken } from '@thingkeep/wire/documents/policy-text.ts';
import type { CompiledStatement, ResourceTemplate } from '../compile.ts';
import type { Lookup } from '../context.ts';
import { Pattern, type PatternToken } from '../pattern.ts';
import { substitute, variableValue } from '../substitute.ts';
import { DISTANCE, type DeniedRequest } from './denied-request.ts';
import { resourceText, shortened, tokensText } from './quote.ts';
import { dissimilarity } from './spelling.ts';
import { explainVariable } from './variable.ts';

const HEAD_PARTS = ['arn', 'partition', 'service', 'region', 'account'] as const;
const RESOURCE = HEAD_PARTS.length;
/** Characters of a name that are compared. */
const MAX_COMPARED = 128;

/** The Resource of a statement that is nearest, and its distance: 0 where it matches. */
export interface NearestResource {
  readonly template: ResourceTemplate;
  readonly distance: number;
}

/** Compares the first `most` resources of the statement. */
export function nearestResource(statement: CompiledStatement, request: DeniedRequest, most: number): NearestResource {
  let nearest: NearestResource | undefined;
  for (const template of statement.resources.slice(0, most)) {
    const distance = templateDistance(template, request);
    if (nearest === undefined || distance < nearest.distance) nearest = { template, distance };
    if (distance === 0) break;
  }
  const { template, distance } = nearest ?? { template: '*', distance: DISTANCE.noArn };
  if (!statement.notResources) return { template, distance };
  return { template, distance: distance === 0 ? DISTANCE.excludedResource : 0 };
}

/** Words for a Resource that does not match. */
export function explainResource(statement: CompiledStatement, nearest: ResourceTemplate, request: DeniedRequest): string {
  const { resource, action } = request;
  if (statement.notResources) return `its NotResource ${shortened(resourceText(nearest))} excludes ${shortened(resource)}`;
  const written = shortened(resourceText(nearest));
  const text = `its Resource ${/\s/.test(written) ? `"${written}"` : written}`;
  if (nearest === '*' || nearest.length <= RESOURCE) return `${text} is no ARN`;
  if (!resource.startsWith('arn:')) return `${text}, and ${action} is asked for ${shortened(resource)} alone`;
  return `${text} ${templateDifferences(nearest, request).join(', and ')}`;
}

/** The six parts of an ARN; a resource keeps its colons. */
function partsOf(resource: string): readonly string[] {
  const parts = resource.split(':');
  return [...parts.slice(0, RESOURCE), parts.slice(RESOURCE).join(':')];
}

function templateDistance(template: ResourceTemplate, { resource, lookup }: DeniedRequest): number {
  if (template === '*') return 0;
  if (template.length <= RESOURCE || !resource.startsWith('arn:')) return DISTANCE.noArn;
  const asked = partsOf(resource);
  return template.reduce((sum, tokens, part) => {
    const bound = substitute(tokens, lookup, 'nothing');
    if (bound === undefined) return sum + DISTANCE.unresolvedVariable;
    const name = asked[part] ?? '';
    if (new Pattern(bound).matches(name)) return sum;
    if (part < RESOURCE) return sum + DISTANCE.arnPart;
    const [given, meant] = [tokensText(bound), name].map((text) => text.slice(0, MAX_COMPARED).toLowerCase());
    return sum + DISTANCE.resourceName + DISTANCE.otherName * dissimilarity(given ?? '', meant ?? '');
  }, 0);
}

function templateDifferences(template: Exclude<ResourceTemplate, '*'>, request: DeniedRequest): readonly string[] {
  const asked = partsOf(request.resource);
  return template.flatMap((tokens, part) => {
    const bound = substitute(tokens, request.lookup, 'nothing');
    if (bound === undefined) return [explainUnresolved(tokens, request.lookup)];
    const name = asked[part] ?? '';
    if (new Pattern(bound).matches(name)) return [];
    if (part === RESOURCE) return [explainName({ tokens, bound, asked: name }, request.action)];
    const given = tokensText(tokens);
    return [`has the ${HEAD_PARTS[part]} ${given === '' ? 'left empty' : given}, and ${name} was asked for`];
  });
}

function explainUnresolved(tokens: readonly PolicyToken[], lookup: Lookup): string {
  const [name = ''] = tokens.flatMap((token) =>
    token.kind === 'variable' && variableValue(token.name, lookup) === undefined ? [token.name] : [],
  );
  return `matches nothing, as ${explainVariable(name, lookup)}`;
}

/** The last part of an ARN, in the policy and as it was asked for. */
interface Names {
  readonly tokens: readonly PolicyToken[];
  readonly bound: readonly PatternToken[];
  readonly asked: string;
}

/** The type in front of the first slash of a resource, such as `topic` in `topic/a/b`. */
const typeOf = (resource: string): string => /^[^/*?]*/.exec(resource)?.[0] ?? '';

const NOUNS: Readonly<Record<string, string>> = {
  client: 'the client id',
  topic: 'the topic',
  topicfilter: 'the topic filter',
  thing: 'the thing',
  rolealias: 'the role alias',
};

function explainName(names: Names, action: string): string {
  const { tokens, bound, asked } = names;
  const pattern = tokensText(bound);
  const type = typeOf(asked);
  const mistake = wrongType(names, action) ?? commonMistake(pattern, asked, type);
  if (mistake !== undefined) return mistake;
  const value = tokens.some(({ kind }) => kind === 'variable') ? ` (here ${shortened(pattern)})` : '';
  return `is not for ${NOUNS[type] ?? `the ${type}`} ${shortened(asked.slice(type.length + 1))}${value}`;
}

/** A type that no resource of the action has, such as `topics/` for `topic/`. */
function wrongType({ bound, asked }: Names, action: string): string | undefined {
  const pattern = tokensText(bound);
  const [type, given] = [typeOf(asked), typeOf(pattern)];
  const mayBecomeType = pattern.length > given.length && pattern[given.length] !== '/' && type.startsWith(given);
  if (given === type || mayBecomeType) return undefined;
  const begin = pattern[given.length] === '/' ? `${given}/` : given;
  const isTypeAlone = new Pattern(bound).matches(given + asked.slice(type.length));
  return `begins with ${shortened(begin)}, and ${action} takes ${type}/${isTypeAlone ? `: write ${type}/` : 'NAME'}`;
}

/** Whether the text, read as a policy's, matches what was asked for. */
function matchesAs(text: string, asked: string): boolean {
  const tokens = parsePolicyText(text, true) ?? [];
  return new Pattern(tokens.filter((token): token is PatternToken => token.kind !== 'variable')).matches(asked);
}

/** A mistake that many make, where the pattern matches once it is mended. */
function commonMistake(pattern: string, asked: string, type: string): string | undefined {
  const whole = shortened(asked);
  const [bare, name] = /[$%{(]*((?:iot|aws):[A-Za-z][\w.[\]]*)[})]*/.exec(pattern) ?? [];
  if (bare !== undefined && !asked.includes(bare)) return `has ${bare}, which is no variable: write \${${name}}`;
  if (
    asked.startsWith('topicfilter/$share/') &&
    matchesAs(pattern, asked.replace(/^topicfilter\/\$share\/[^/]*\//, 'topicfilter/'))
  )
    return `leaves out the group of a shared subscription: write ${whole}`;
  if (/[+#]/.test(pattern) && type === 'topic' && matchesAs(pattern.replace(/[+#]/g, '*'), asked))
    return 'has MQTT wildcards, which match themselves alone in a policy: write * for them';
  if (matchesAs(pattern.toLowerCase(), asked.toLowerCase())) return `differs in upper and lower case from ${whole}`;
  if (matchesAs(`${pattern}*`, asked)) return `ends before the end of ${whole}: end it with * for all that begin with it`;
  if (matchesAs(pattern.replace('/', '//'), asked)) return `has no slash at the begin of the name, and ${whole} has one`;
  if (matchesAs(pattern.replace('//', '/'), asked))
    return `has a slash too many at the begin of the name: ${whole} was asked for`;
  if (matchesAs(pattern.replace(/\s/g, ''), asked)) return 'has a space that the name does not have';
  if (matchesAs(pattern.replace(/\/\*$/, ''), asked)) return `needs a name that goes on behind ${whole}/`;
  return undefined;
}
