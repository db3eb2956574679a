/**
 * Checks the files of a domain: `<noun>.operations.ts` has handlers of operations, `<noun>.topics.ts` services on reserved
 * topics.
 */
import { isTestMaterial, type Source } from './sources.ts';

const SERVER = 'packages/server/src/';
/** A handler is a method, or a member, with an operation's name. */
const HANDLER = /^\s+(?:async [A-Z]\w*\(|[A-Z]\w*: (?:async )?\((?:input|_)\b)/m;
const EXPORTED = /^export (?:const|function) \w+Operations\b/m;
/** Names that say what is done, where the file is about a thing. */
const VERB =
  /^(add|ask|attach|create|delete|describe|detach|get|invoke|issue|list|put|register|remove|set|simulate|tag|test|update)-|ing$/;

function faultsOf({ path, code }: Source): string[] {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const [noun = '', kind] = name.split('.');
  if (kind === 'topics' && !/\bTopicService\b/.test(code))
    return [`${path} has no TopicService: .topics.ts is the name of services on reserved topics`];
  if (kind !== 'operations')
    return /(^|-)operations(-|\.)/.test(name) || HANDLER.test(code)
      ? [`${path}: handlers of operations are in <noun>.operations.ts, and nothing else is called so`]
      : [];
  return [
    ...(EXPORTED.test(code) ? [] : [`${path} exports no ...Operations: it is not a file of handlers`]),
    ...(VERB.test(noun) ? [`${path}: the name says what is done, not which things the operations are about`] : []),
  ];
}

export const domainFileFaults = (sources: readonly Source[]): string[] =>
  sources.filter(({ path }) => path.startsWith(SERVER) && !isTestMaterial(path)).flatMap(faultsOf);
