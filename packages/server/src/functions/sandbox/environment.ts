/**
 * The environment of a function's process: what Lambda promises to a function (developer guide, page
 * configuration-envvars) and the credentials of its role; nothing of the server's. Its own variables come later (confine.ts).
 */
import { defined } from '@thingkeep/wire/defined.ts';

export interface EnvironmentFacts {
  readonly functionName: string;
  readonly version: string;
  readonly region: string;
  /** MB. */
  readonly memorySize: number;
  readonly handler: string;
  readonly runtime: string;
  readonly logGroup: string;
  readonly logStream: string;
  readonly taskRoot: string;
  readonly temporary: string;
  /** Base URL of the API. */
  readonly endpointUrl: string;
  /** PEM file of the authority that the API's certificate is signed by; absent where it is plain HTTP. */
  readonly authorityFile?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken: string };
}

/** Where programs are looked for: the same for every function, whatever the server's own path is. */
export const PROGRAM_PATH = ['/usr/local/bin', '/usr/bin', '/bin'];

/** Names that Lambda sets, and that a function's own variables may not. */
const RESERVED: ReadonlySet<string> = new Set([
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_DEFAULT_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_LAMBDA_RUNTIME_API',
  'AWS_REGION',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'LAMBDA_RUNTIME_DIR',
  'LAMBDA_TASK_ROOT',
]);

export const reservedNames = (names: readonly string[]): string[] => names.filter((name) => RESERVED.has(name));

export function environmentOf(facts: EnvironmentFacts): Record<string, string> {
  const { credentials, authorityFile, region } = facts;
  return defined({
    PATH: PROGRAM_PATH.join(':'),
    LANG: 'C.UTF-8',
    TZ: ':UTC',
    HOME: facts.temporary,
    TMPDIR: facts.temporary,
    PYTHONDONTWRITEBYTECODE: '1',
    AWS_ENDPOINT_URL: facts.endpointUrl,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CA_BUNDLE: authorityFile,
    NODE_EXTRA_CA_CERTS: authorityFile,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: `AWS_Lambda_${facts.runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: facts.functionName,
    AWS_LAMBDA_FUNCTION_VERSION: facts.version,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(facts.memorySize),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: facts.logGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: facts.logStream,
    _HANDLER: facts.handler,
    LAMBDA_TASK_ROOT: facts.taskRoot,
    AWS_ACCESS_KEY_ID: credentials?.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials?.secretAccessKey,
    AWS_SESSION_TOKEN: credentials?.sessionToken,
  });
}
