/** The aws command, as found on the machine. Releases before AWS_ENDPOINT_URL (1.29, 2.13) are told the endpoint by flag. */
import { execFileSync } from 'node:child_process';
import { plainEnvironment, type RunOptions, run, succeed, type Outcome } from './run-command.ts';

let knows: boolean | undefined;

export function awsKnowsEndpointVariable(): boolean {
  if (knows === undefined) {
    const text = execFileSync('aws', ['--version'], { env: plainEnvironment(), encoding: 'utf8' });
    const [, major = '0', minor = '0'] = /^aws-cli\/(\d+)\.(\d+)/.exec(text) ?? [];
    knows = major === '1' ? Number(minor) >= 29 : Number(minor) >= 13;
  }
  return knows;
}

const withEndpoint = (env: Readonly<Record<string, string>>, args: readonly string[]): string[] => [
  ...(awsKnowsEndpointVariable() ? [] : ['--endpoint-url', env.AWS_ENDPOINT_URL ?? '']),
  ...args,
];

/** An `aws` call that must succeed: gives its standard output. */
export const aws = (env: Readonly<Record<string, string>>, ...args: string[]): Promise<string> =>
  succeed('aws', withEndpoint(env, args), { env });

/** As `aws`, and reads the answer. */
export const awsJson = async <T>(env: Readonly<Record<string, string>>, ...args: string[]): Promise<T> =>
  JSON.parse((await aws(env, '--output', 'json', ...args)) || 'null') as T;

export const awsOutcome = (
  options: RunOptions & { env: Readonly<Record<string, string>> },
  ...args: string[]
): Promise<Outcome> => run('aws', withEndpoint(options.env, args), options);
