/**
 * Resource policies of functions: statements as AddPermission makes them, shown as a policy document, and asked whether a
 * service may invoke. Source: Lambda developer guide, page access-control-resource-based; API reference, AddPermission.
 */
import { defined } from '@thingkeep/wire/defined.ts';
import type { InvokedAs } from '../contract.ts';
import { functionArn, type FunctionRecord, LATEST, permissionsOf, type PermissionStatement } from './store.ts';

/** As in IAM: `*` is any text and `?` one character, whole parts or not. Linear in the text for each star. */
export function matchesWildcard(pattern: string, text: string): boolean {
  let at = 0;
  let in_ = 0;
  let star = -1;
  let mark = 0;
  while (in_ < text.length) {
    const char = pattern[at];
    if (char === '*') {
      star = at++;
      mark = in_;
    } else if (char !== undefined && (char === '?' || char === text[in_])) {
      at += 1;
      in_ += 1;
    } else if (star >= 0) {
      at = star + 1;
      in_ = ++mark;
    } else return false;
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}

/** ArnLike: the six parts are matched each by itself (IAM user guide, page reference_policies_elements_condition_operators). */
function arnLike(pattern: string, arn: string): boolean {
  const parts = (text: string): string[] => {
    const split = text.split(':');
    return [...split.slice(0, 5), split.slice(5).join(':')];
  };
  const given = parts(arn);
  const wanted = parts(pattern);
  return given.length === 6 && wanted.every((part, index) => matchesWildcard(part, given[index] ?? ''));
}

const allows = (statement: PermissionStatement, { service, sourceArn, sourceAccount }: InvokedAs): boolean =>
  (statement.principal === service || statement.principal === '*') &&
  /^(lambda:\*|\*|lambda:InvokeFunction)$/i.test(statement.action) &&
  (statement.sourceArn === undefined || (sourceArn !== undefined && arnLike(statement.sourceArn, sourceArn))) &&
  (statement.sourceAccount === undefined || statement.sourceAccount === sourceAccount) &&
  // Nothing here has a token or an organization to show.
  statement.eventSourceToken === undefined &&
  statement.principalOrgId === undefined;

/** Whether the service may invoke the function by this qualifier: a policy is of one version or alias, or of the bare name. */
export function mayInvoke(record: FunctionRecord, qualifier: string | undefined, as: InvokedAs): boolean {
  const { statements = [] } = permissionsOf(record, qualifier ?? LATEST) ?? {};
  return statements.some((statement) => allows(statement, as));
}

function principalOf(principal: string): unknown {
  if (principal === '*') return '*';
  if (/^\d{12}$/.test(principal)) return { AWS: `arn:aws:iam::${principal}:root` };
  return principal.startsWith('arn:') ? { AWS: principal } : { Service: principal };
}

function conditionOf({ sourceArn, sourceAccount, eventSourceToken, principalOrgId }: PermissionStatement): object | undefined {
  const equals = defined({
    'AWS:SourceAccount': sourceAccount,
    'lambda:EventSourceToken': eventSourceToken,
    'aws:PrincipalOrgID': principalOrgId,
  });
  const condition = defined({
    StringEquals: Object.keys(equals).length === 0 ? undefined : equals,
    ArnLike: sourceArn === undefined ? undefined : { 'AWS:SourceArn': sourceArn },
  });
  return Object.keys(condition).length === 0 ? undefined : condition;
}

/** One statement as the API shows it, a JSON object. */
export function statementDocument(
  statement: PermissionStatement,
  place: { region: string; accountId: string },
  name: string,
  qualifier: string | undefined,
): object {
  return {
    Sid: statement.sid,
    Effect: 'Allow',
    Principal: principalOf(statement.principal),
    Action: statement.action,
    Resource: functionArn(place, name, qualifier),
    ...defined({ Condition: conditionOf(statement) }),
  };
}
