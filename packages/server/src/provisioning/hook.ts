/**
 * The pre-provisioning hook: the template's function is asked whether a device may be provisioned, and may set parameters.
 * Source: AWS IoT developer guide, page pre-provisioning-hook.
 */
import { JsonError, parseJson } from '@thingkeep/wire/api/parse-json.ts';
import { FunctionError, type FunctionInvoker } from '../functions/contract.ts';
import { type GivenParameters, readGivenParameters } from './plan.ts';
import { isMembers, type RequestBody } from './payloads.ts';
import { ProvisioningRejection } from './rejections.ts';
import type { HookRecord } from './store.ts';

/** Milliseconds. */
const TIMEOUT = 5_000;

/** Members and order as the page has them. */
export interface HookEvent {
  readonly claimCertificateId: string;
  readonly certificateId: string;
  readonly certificatePem: string;
  readonly templateArn: string;
  readonly clientId: string;
  readonly parameters: GivenParameters;
}

/** The device is told no more than that; the owner finds why. */
function deny(why: string, cause?: unknown): never {
  throw new ProvisioningRejection('AccessDenied', 'Access denied.', `the pre-provisioning hook ${why}`, cause);
}

async function ask(functions: FunctionInvoker, hook: HookRecord, accountId: string, event: HookEvent): Promise<Uint8Array> {
  const as = { service: 'iot.amazonaws.com', sourceArn: event.templateArn, sourceAccount: accountId, byRoot: hook.byRoot };
  try {
    return await functions.invoke(hook.targetArn, Buffer.from(JSON.stringify(event)), { timeoutMs: TIMEOUT, as });
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error;
    const why = `the pre-provisioning hook gave no answer: ${error.message}`;
    if (error.fault === 'overload') throw new ProvisioningRejection('Throttled', 'Rate exceeded', why, error);
    throw new ProvisioningRejection('AccessDenied', 'Access denied.', why, error);
  }
}

function read(answer: Uint8Array): RequestBody {
  try {
    const body = parseJson(answer);
    return isMembers(body) ? body : deny('answered no object');
  } catch (error) {
    if (error instanceof JsonError) return deny(`answered no JSON: ${error.message}`, error);
    throw error;
  }
}

/** The parameters that the hook sets. Fails with a rejection unless it allows the provisioning. */
export async function askHook(
  functions: FunctionInvoker,
  hook: HookRecord,
  accountId: string,
  event: HookEvent,
): Promise<GivenParameters> {
  const { allowProvisioning, parameterOverrides } = read(await ask(functions, hook, accountId, event));
  if (allowProvisioning !== true) return deny('did not allow the provisioning');
  const overrides = readGivenParameters(parameterOverrides);
  return typeof overrides === 'string' ? deny(`answered parameterOverrides that are not usable: ${overrides}`) : overrides;
}
