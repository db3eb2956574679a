/** In what a statement's Action differs from an action that was asked for. */
import { appliesTo, type CompiledStatement } from '../compile.ts';
import { DISTANCE } from './denied-request.ts';
import { oneOf } from './quote.ts';
import { isMisspelt } from './spelling.ts';

/** Actions of one statement that are looked at for a slip. */
const MAX_ACTIONS = 16;

/** The part behind the service, such as `publish`. */
const verbOf = (action: string): string => action.slice(action.lastIndexOf(':') + 1).toLowerCase();

/** An action of the statement that may be meant for the one that was asked for. */
function misspeltAction({ actionTexts, notActions }: CompiledStatement, action: string): string | undefined {
  if (notActions) return undefined;
  const verb = verbOf(action);
  return actionTexts.slice(0, MAX_ACTIONS).find((text) => verbOf(text) === verb || isMisspelt(verbOf(text), verb));
}

export function actionDistance(statement: CompiledStatement, action: string): number {
  if (appliesTo(statement, action.toLowerCase())) return 0;
  return misspeltAction(statement, action) === undefined ? DISTANCE.otherAction : DISTANCE.misspeltAction;
}

/** Words for an Action that does not match. */
export function explainAction(statement: CompiledStatement, action: string): string {
  const { actionTexts, notActions } = statement;
  if (notActions) return `its NotAction ${oneOf(actionTexts)} excludes ${action}`;
  const slip = misspeltAction(statement, action);
  return slip === undefined ? `its Action is ${oneOf(actionTexts)}, and not ${action}` : `its Action is ${slip}: write ${action}`;
}
