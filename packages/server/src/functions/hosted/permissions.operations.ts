/** AddPermission, RemovePermission, GetPolicy: who else may invoke a function. Source: Lambda API reference. */
import { randomUUID } from 'node:crypto';
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { LambdaOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Store } from '../../store/contract.ts';
import { type FunctionName, readName } from './names.ts';
import { statementDocument } from './permission.ts';
import { findVersion } from './records.ts';
import { type FunctionRecord, functions, LATEST, type Permissions, permissionsOf, type PermissionStatement } from './store.ts';

type Operations = 'AddPermission' | 'RemovePermission' | 'GetPolicy';
type AddPermissionInput = LambdaOperations['AddPermission']['input'];

/** Lambda quotas: bytes of a resource policy. */
const LARGEST_POLICY = 20 * 1024;

function statementOf(input: AddPermissionInput): PermissionStatement {
  const { StatementId: sid = '', Action: action = '', Principal: principal = '' } = input;
  if (input.FunctionUrlAuthType !== undefined && action !== 'lambda:InvokeFunctionUrl')
    fail('InvalidParameterValueException', 'FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action');
  if (input.FunctionUrlAuthType !== undefined) fail('InvalidParameterValueException', 'There are no function URLs here.');
  if (!/^(\*|\d{12}|arn:aws[\w-]*:(iam|sts)::\d{12}:\S+|[\w.-]+\.amazonaws\.com(\.cn)?|[\w-]+\.[\w.-]+)$/.test(principal))
    fail('InvalidParameterValueException', 'The provided principal was invalid. Please check the principal and try again.');
  return {
    sid,
    action,
    principal,
    sourceArn: input.SourceArn === undefined || input.SourceArn === '' ? undefined : input.SourceArn,
    sourceAccount: input.SourceAccount,
    eventSourceToken: input.EventSourceToken,
    principalOrgId: input.PrincipalOrgID,
  };
}

const policyText = (place: Place, { name, qualifier }: FunctionName, { statements }: Permissions): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Id: 'default',
    Statement: statements.map((statement) => statementDocument(statement, place, name, qualifier)),
  });

function checkRevision(permissions: Permissions | undefined, revisionId: string | undefined): void {
  if (revisionId !== undefined && revisionId !== permissions?.revisionId)
    fail(
      'PreconditionFailedException',
      'The Revision Id provided does not match the latest Revision Id. Call the GetPolicy API to retrieve the latest Revision Id',
    );
}

/** The record with other statements under a qualifier; with none of them, nothing is left of it. */
function withStatements(record: FunctionRecord, key: string, statements: readonly PermissionStatement[]): FunctionRecord {
  const { [key]: _before, ...others } = record.permissions;
  const changed = statements.length === 0 ? {} : { [key]: { revisionId: randomUUID(), statements } };
  return { ...record, permissions: { ...others, ...changed } };
}

export function permissionOperations({ store }: { store: Store }): Handlers<Pick<LambdaOperations, Operations>> {
  return {
    async AddPermission(input, caller) {
      const name = readName(input.FunctionName ?? '', caller, input.Qualifier);
      if (name.qualifier === LATEST)
        fail('InvalidParameterValueException', 'We currently do not support adding policies for $LATEST.');
      const statement = statementOf(input);
      const key = name.qualifier ?? LATEST;
      await store.write(async (tx) => {
        const { record } = await findVersion(tx, caller, name);
        const before = permissionsOf(record, key);
        checkRevision(before, input.RevisionId);
        const statements = before?.statements ?? [];
        if (statements.some(({ sid }) => sid === statement.sid))
          fail(
            'ResourceConflictException',
            `The statement id (${statement.sid}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
          );
        const after = [...statements, statement];
        const size = policyText(caller, name, { revisionId: '', statements: after }).length;
        if (size > LARGEST_POLICY)
          fail('PolicyLengthExceededException', `The final policy size (${size}) is bigger than the limit (${LARGEST_POLICY}).`);
        await tx.put(functions, withStatements(record, key, after));
      });
      return { Statement: JSON.stringify(statementDocument(statement, caller, name.name, name.qualifier)) };
    },

    async RemovePermission(input, caller) {
      const name = readName(input.FunctionName ?? '', caller, input.Qualifier);
      const key = name.qualifier ?? LATEST;
      await store.write(async (tx) => {
        const { record } = await findVersion(tx, caller, name);
        const before = permissionsOf(record, key);
        checkRevision(before, input.RevisionId);
        const kept = (before?.statements ?? []).filter(({ sid }) => sid !== input.StatementId);
        if (before === undefined) fail('ResourceNotFoundException', 'No policy is associated with the given resource.');
        else if (kept.length === before.statements.length)
          fail('ResourceNotFoundException', `Statement ${input.StatementId} is not found in resource policy.`);
        await tx.put(functions, withStatements(record, key, kept));
      });
      return {};
    },

    async GetPolicy(input, caller) {
      const name = readName(input.FunctionName ?? '', caller, input.Qualifier);
      const { record } = await store.read((tx) => findVersion(tx, caller, name));
      const permissions = permissionsOf(record, name.qualifier ?? LATEST);
      if (permissions === undefined) return fail('ResourceNotFoundException', 'The resource you requested does not exist.');
      return { Policy: policyText(caller, name, permissions), RevisionId: permissions.revisionId };
    },
  };
}
