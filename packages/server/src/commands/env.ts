/** `thingkeep env`: export lines that point the aws command, SDKs and Terraform at the running server. */
import { readConfig, readFlags } from '../config/config.ts';
import { dataFolder } from '../config/data-folder.ts';
import { readEnvironment } from '../config/env.ts';
import { runningServer } from './running-server.ts';

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export async function env(args: readonly string[]): Promise<number> {
  const config = readConfig(readFlags(args), readEnvironment());
  const folder = dataFolder(config.dataDir);
  const { url, region } = runningServer(folder);
  const lines: [name: string, value: string][] = [
    ['AWS_ENDPOINT_URL', url],
    ['AWS_SHARED_CREDENTIALS_FILE', folder.credentials],
    ['AWS_REGION', region],
    // Version 1 of the aws command, and boto3, read the region from this one alone.
    ['AWS_DEFAULT_REGION', region],
    ...(url.startsWith('https:') ? ([['AWS_CA_BUNDLE', folder.rootCa]] as [string, string][]) : []),
  ];
  process.stdout.write(lines.map(([name, value]) => `export ${name}=${quoted(value)}\n`).join(''));
  return 0;
}
