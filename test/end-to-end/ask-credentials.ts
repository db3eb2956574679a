/** What a device gets of the credential provider (fact 11.2). */
import type { Device } from './devices.ts';
import type { Credentials } from './presign.ts';
import { run } from './run-command.ts';
import type { TestServer } from './test-core.ts';

export interface Answer {
  readonly status: number;
  readonly credentials?: Credentials & { readonly sessionToken: string; readonly expiration: string };
  readonly message?: string;
}

/** What curl gets with the device's certificate. */
export async function ask(server: TestServer, alias: string, device?: Device, ...more: string[]): Promise<Answer> {
  const url = `https://localhost:${server.ports.https}/role-aliases/${alias}/credentials`;
  const own = device === undefined ? [] : ['--cert', device.cert, '--key', device.key];
  const { stdout } = await run('curl', ['-s', '--cacert', server.rootCa, ...own, ...more, '-w', '\n%{http_code}', url]);
  const [body = '', status = ''] = stdout.split('\n');
  return { status: Number(status), ...(JSON.parse(body) as object) };
}
