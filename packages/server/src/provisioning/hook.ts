/**
 * The pre-provisioning hook: the template's function is asked whether a device may be provisioned, and may set parameters.
 * Source: AWS IoT developer guide, page pre-provisioning-hook.
 */
import type { FunctionInvoker } from '../functions/contract.ts';
import { askFunction } from './function-answer.ts';
import { type GivenParameters, readGivenParameters } from './plan.ts';
import { ProvisioningRejection } from './rejections.ts';
import type { HookRecord } from './store.ts';

/** Members and order as the page has them. */
export interface HookEvent {
  readonly claimCertificateId: string;
  readonly certificateId: string;
  readonly certificatePem: string;
  readonly templateArn: string;
  readonly clientId: string;
  readonly parameters: GivenParameters;
}

const NAME = 'the pre-provisioning hook';

function reject(why: string, cause?: unknown): never {
  throw new ProvisioningRejection('AccessDenied', 'Access denied.', `${NAME} ${why}`, cause);
}

/** The parameters that the hook sets. Fails with a rejection unless it allows the provisioning. */
export async function askHook(
  functions: FunctionInvoker,
  { targetArn, byRoot }: HookRecord,
  accountId: string,
  event: HookEvent,
): Promise<GivenParameters> {
  const asked = { functionArn: targetArn, byRoot, sourceArn: event.templateArn, sourceAccount: accountId, name: NAME, reject };
  const { allowProvisioning, parameterOverrides } = await askFunction(functions, asked, event);
  if (allowProvisioning !== true) return reject('did not allow the provisioning');
  const overrides = readGivenParameters(parameterOverrides);
  return typeof overrides === 'string' ? reject(`answered parameterOverrides that are not usable: ${overrides}`) : overrides;
}
