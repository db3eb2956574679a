/** In what a statement's Action differs from an action that was asked for. */
import { appliesTo, type CompiledStatement } from '../compile.ts';
import { type Difference, OTHER_ACTION } from './denied-request.ts';
import { isMisspelt, oneOf } from './quote.ts';

/** The part behind the service, such as `publish`. */
const verbOf = (action: string): string => action.slice(action.lastIndexOf(':') + 1).toLowerCase();

export function actionDifference(statement: CompiledStatement, action: string): Difference | undefined {
  if (appliesTo(statement, action.toLowerCase())) return undefined;
  const { actionTexts, notActions } = statement;
  if (notActions) return { text: `its NotAction ${oneOf(actionTexts)} leaves ${action} out`, distance: OTHER_ACTION };
  const verb = verbOf(action);
  const slip = actionTexts.find((text) => verbOf(text) === verb || isMisspelt(verbOf(text), verb));
  if (slip === undefined) return { text: `its Action is ${oneOf(actionTexts)}, and not ${action}`, distance: OTHER_ACTION };
  return { text: `its Action is ${slip}: write ${action}`, distance: 2 };
}
