/** GetEffectivePolicies and TestAuthorization: decisions without a request, and the policies that make them. */
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ReadTransaction, Store } from '../store/contract.ts';
import { compilePolicies, type NamedDocument } from './compile.ts';
import type { PolicyContext } from './context.ts';
import { attachedPolicyNames, policiesByName } from './effective.ts';
import { bindPermissions } from './evaluate.ts';
import type { Decision } from '@thingkeep/wire/api/authorization.ts';
import { missingKeys } from './missing-keys.ts';
import { given } from './policies.operations.ts';
import { getPolicyRecord, policyArn } from './policy-records.ts';
import { mustExist, type PolicyTargets, type PrincipalFacts, type ThingFacts, targetKind } from './principals.ts';
import { deviceContext } from './variables.ts';

type Operations = Pick<IotOperations, 'GetEffectivePolicies' | 'TestAuthorization'>;

interface AuthorizationTestDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly targets: PolicyTargets;
  readonly facts: PrincipalFacts;
}

const ACTIONS = new Map<string | undefined, string>([
  ['PUBLISH', 'iot:Publish'],
  ['SUBSCRIBE', 'iot:Subscribe'],
  ['RECEIVE', 'iot:Receive'],
  ['CONNECT', 'iot:Connect'],
]);

type Effect = Decision['effect'];
/** The effect on several resources: each must be allowed, and an explicit deny of one decides. */
const together = (effects: readonly Effect[]): Effect =>
  effects.includes('EXPLICIT_DENY')
    ? 'EXPLICIT_DENY'
    : effects.includes('IMPLICIT_DENY') || effects.length === 0
      ? 'IMPLICIT_DENY'
      : 'ALLOWED';
/** The part of one policy in the effect of several: it need not allow every resource alone. */
const contributes = (effects: readonly Effect[]): Effect =>
  effects.includes('EXPLICIT_DENY') ? 'EXPLICIT_DENY' : effects.includes('ALLOWED') ? 'ALLOWED' : 'IMPLICIT_DENY';

export const authorizationOperations = ({ store, clock, targets, facts }: AuthorizationTestDeps): Handlers<Operations> => {
  /** The thing named like the client id, when the principal is attached to it: only then do its groups and variables count. */
  const attachedThing = async (tx: ReadTransaction, place: Place, thingName: string, principal: string) => {
    const thing = await facts.thing(tx, place, thingName);
    return thing !== undefined && (await facts.isAttached(tx, place.accountId, thingName, principal)) ? thing : undefined;
  };

  /** ARNs that carry the principal's policies: its own, and a group's ancestors. */
  const carriers = async (tx: ReadTransaction, caller: Caller, principal: string): Promise<string[]> => {
    await mustExist(targets, tx, caller, principal);
    const inherited =
      targetKind(principal, caller) === 'group' ? await targets.inheritsFrom(tx, caller.accountId, principal) : [];
    return [principal, ...inherited];
  };

  const testedContext = async (
    tx: ReadTransaction,
    accountId: string,
    principal: string | undefined,
    clientId: string | undefined,
    thing: ThingFacts | undefined,
  ): Promise<PolicyContext> =>
    deviceContext({
      protocol: 'mqtt',
      clientId,
      now: clock.now(),
      certificateDer: principal === undefined ? undefined : await facts.certificateDer(tx, accountId, principal),
      thing,
      isAttached: thing !== undefined,
    });

  return {
    async GetEffectivePolicies(input, caller) {
      const { accountId } = caller;
      const { principal, thingName } = input;
      if (principal === undefined && thingName === undefined && input.cognitoIdentityPoolId === undefined) {
        fail('InvalidRequestException', 'A principal, a thing name or a Cognito identity pool is needed');
      }
      const documents = await store.read(async (tx) => {
        const arns = principal === undefined ? [] : await carriers(tx, caller, principal);
        if (thingName !== undefined) {
          const thing = await facts.thing(tx, caller, thingName);
          if (thing === undefined) return fail('ResourceNotFoundException', `Thing ${thingName} does not exist.`);
          if (principal === undefined || (await facts.isAttached(tx, accountId, thingName, principal)))
            arns.push(...thing.groupArns);
        }
        return policiesByName(tx, accountId, await attachedPolicyNames(tx, accountId, arns));
      });
      return {
        effectivePolicies: documents.map(({ policyName, document }) => ({
          policyName,
          policyArn: policyArn(caller, policyName),
          policyDocument: document,
        })),
      };
    },

    async TestAuthorization(input, caller) {
      const { accountId } = caller;
      const { principal, clientId } = input;
      const authInfos = given(input.authInfos, 'authInfos');
      const { documents, context } = await store.read(async (tx) => {
        const arns = principal === undefined ? [] : await carriers(tx, caller, principal);
        const thing =
          principal === undefined || clientId === undefined ? undefined : await attachedThing(tx, caller, clientId, principal);
        const names = await attachedPolicyNames(tx, accountId, [...arns, ...(thing?.groupArns ?? [])]);
        for (const name of input.policyNamesToAdd ?? []) names.push((await getPolicyRecord(tx, accountId, name)).policyName);
        const skipped = new Set(input.policyNamesToSkip);
        return {
          documents: await policiesByName(
            tx,
            accountId,
            names.filter((name) => !skipped.has(name)),
          ),
          context: await testedContext(tx, accountId, principal, clientId, thing),
        };
      });

      const compiled = compilePolicies(documents);
      const all = bindPermissions(compiled, context);
      const each = documents.map((document) => ({
        document,
        permissions: bindPermissions(compilePolicies([document]), context),
      }));
      const summary = ({ policyName }: NamedDocument) => ({ policyName, policyArn: policyArn(caller, policyName) });

      return {
        authResults: authInfos.map((authInfo) => {
          const action = ACTIONS.get(authInfo.actionType) ?? fail('InvalidRequestException', 'An authInfo needs an actionType');
          const resources = given(authInfo.resources, 'resources');
          const having = (effect: Effect) =>
            each
              .filter(
                ({ permissions }) =>
                  contributes(resources.map((resource) => permissions.decide(action, resource).effect)) === effect,
              )
              .map(({ document }) => summary(document));
          return {
            authInfo,
            allowed: { policies: having('ALLOWED') },
            denied: {
              implicitDeny: { policies: having('IMPLICIT_DENY') },
              explicitDeny: { policies: having('EXPLICIT_DENY') },
            },
            authDecision: together(resources.map((resource) => all.decide(action, resource).effect)),
            missingContextValues: missingKeys(compiled, context, action),
          };
        }),
      };
    },
  };
};
