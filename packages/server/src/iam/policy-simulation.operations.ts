/** SimulatePrincipalPolicy: decisions for a user or role, by the code that authorizes calls. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IamOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { layersOf } from './access-keys.ts';
import { checkIdentityPolicy } from './documents.ts';
import { findByArn, type Identities, type Identity } from './identities.ts';
import type { IamParts } from './users.operations.ts';
import { listPage } from './pages.ts';
import { identityKeys } from './request-keys.ts';
import { type IamDecision, type IamPermissions, permissionsUnder } from './permissions.ts';
import type { KeyValues } from '@thingkeep/wire/api/authorization.ts';

type Operations = Pick<IamOperations, 'SimulatePrincipalPolicy'>;

/** Questions of one call: actions times resources. */
const MAX_QUESTIONS = 1_000;
/** Documents to try beside the identity's own, as many as could be attached to it. */
const MAX_DOCUMENTS = 10;
/** Questions that are answered before others get their turn: one may take milliseconds, with policies of the greatest size. */
const AT_A_TIME = 4;

const SAID = { ALLOWED: 'allowed', EXPLICIT_DENY: 'explicitDeny', IMPLICIT_DENY: 'implicitDeny' } as const;

interface SimulatedCall {
  readonly action: string;
  readonly resource: string;
}

const result = ({ action, resource }: SimulatedCall, { effect, policyName }: IamDecision) => ({
  EvalActionName: action,
  EvalResourceName: resource,
  EvalDecision: SAID[effect],
  MatchedStatements: policyName === undefined ? [] : [{ SourcePolicyId: policyName }],
  MissingContextValues: [],
});

export const simulateOperations = (parts: IamParts & { readonly identities: Identities }): Handlers<Operations> => {
  const identityOf = async (accountId: string, arn: string): Promise<Identity> => {
    const entity = await parts.store.read((tx) => findByArn(tx, arn));
    const identity = entity?.accountId === accountId ? await parts.identities.byId(accountId, entity.id) : undefined;
    return identity ?? fail('NoSuchEntity', `The user or role ${arn.slice(0, 256)} cannot be found.`);
  };

  const permissionsOf = (identity: Identity, documents: readonly string[], keys: KeyValues): IamPermissions => {
    const [own, ...rest] = layersOf(identity);
    const added = documents.map((document, index) => {
      checkIdentityPolicy(document);
      return parts.identities.inline(`PolicyInputList.${index + 1}`, document);
    });
    const policies = {
      statements: [...(own?.policies.statements ?? []), ...added.flatMap(({ statements }) => statements)],
      unreadable: own?.policies.unreadable ?? [],
    };
    return permissionsUnder([{ type: 'identity-based policy', policies }, ...rest], keys, parts.clock);
  };

  return {
    async SimulatePrincipalPolicy(input, { accountId }) {
      const { PolicySourceArn = '', ActionNames = [], ResourceArns = ['*'], PolicyInputList = [], ContextEntries = [] } = input;
      if (input.ResourcePolicy !== undefined || input.PermissionsBoundaryPolicyInputList !== undefined)
        fail('InvalidInput', 'Policies of resources and boundaries to try are not simulated here.');
      if (ActionNames.length * ResourceArns.length > MAX_QUESTIONS)
        fail('InvalidInput', `At most ${MAX_QUESTIONS} questions in one call.`);
      if (PolicyInputList.length > MAX_DOCUMENTS) fail('InvalidInput', `At most ${MAX_DOCUMENTS} policies to try in one call.`);
      const identity = await identityOf(accountId, PolicySourceArn);
      const given = ContextEntries.map(
        ({ ContextKeyName = '', ContextKeyValues = [] }) => [ContextKeyName, ContextKeyValues] as const,
      );
      const keys = [...identityKeys(identity.entity, identity.entity.id), ...given];
      const permissions = permissionsOf(identity, PolicyInputList, keys);
      const questions = ActionNames.flatMap((action) => ResourceArns.map((resource): SimulatedCall => ({ action, resource })));
      const { items, end } = listPage(questions, ({ action, resource }) => `${action} ${resource}`, input);
      const EvaluationResults: ReturnType<typeof result>[] = [];
      for (const [index, each] of items.entries()) {
        if (index % AT_A_TIME === 0) await new Promise(setImmediate);
        EvaluationResults.push(result(each, permissions.decide(each.action, each.resource)));
      }
      return { EvaluationResults, ...end };
    },
  };
};
