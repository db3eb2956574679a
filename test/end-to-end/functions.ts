/** Hosted functions of a test server: made of a few lines of code, invoked, and their logs read. */
import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  InvokeCommand,
  type InvokeCommandInput,
  LambdaClient,
  type Runtime,
} from '@aws-sdk/client-lambda';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { zipOfFiles } from '../../packages/server/src/functions/code/zip.fixture.ts';
import type { TestServer } from './test-core.ts';
import { until } from './until.ts';

export const ROLE = 'arn:aws:iam::000000000000:role/functions';

export interface Invoked {
  readonly error: string | undefined;
  readonly version: string | undefined;
  /** The answer, read as JSON. */
  readonly answer: unknown;
  readonly log: string;
}

export class TestFunctions implements Disposable {
  readonly lambda: LambdaClient;
  readonly logs: CloudWatchLogsClient;

  constructor(server: TestServer) {
    const client = { endpoint: server.url, region: 'us-east-1', credentials: server.credentials(), maxAttempts: 1 };
    this.lambda = new LambdaClient(client);
    this.logs = new CloudWatchLogsClient(client);
  }

  /** Makes a function of Python code whose handler is `handler`; `more` overrides. */
  async python(name: string, code: string, more: Partial<CreateFunctionCommandInput> = {}): Promise<void> {
    await this.make(name, 'python3.12', 'index.handler', { 'index.py': code }, more);
  }

  async node(name: string, code: string, more: Partial<CreateFunctionCommandInput> = {}): Promise<void> {
    await this.make(name, 'nodejs22.x', 'index.handler', { 'index.mjs': code }, more);
  }

  async make(
    FunctionName: string,
    Runtime: Runtime,
    Handler: string,
    files: Readonly<Record<string, string>>,
    more: Partial<CreateFunctionCommandInput>,
  ): Promise<void> {
    const input = { FunctionName, Runtime, Handler, Role: ROLE, Timeout: 10, Code: { ZipFile: zipOfFiles(files) }, ...more };
    await this.lambda.send(new CreateFunctionCommand(input));
  }

  async invoke(FunctionName: string, event: unknown = {}, more: Partial<InvokeCommandInput> = {}): Promise<Invoked> {
    const input: InvokeCommandInput = { FunctionName, Payload: Buffer.from(JSON.stringify(event)), LogType: 'Tail', ...more };
    const { FunctionError, ExecutedVersion, Payload, LogResult = '' } = await this.lambda.send(new InvokeCommand(input));
    const text = Payload === undefined ? '' : Buffer.from(Payload).toString();
    return {
      error: FunctionError,
      version: ExecutedVersion,
      answer: text === '' ? undefined : (JSON.parse(text) as unknown),
      log: Buffer.from(LogResult, 'base64').toString(),
    };
  }

  async later(FunctionName: string, event: unknown = {}): Promise<void> {
    const Payload = Buffer.from(JSON.stringify(event));
    await this.lambda.send(new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload }));
  }

  /** Lines of a function's log that hold this, once there are as many. */
  async logged(name: string, words: string, count = 1): Promise<string[]> {
    return until(`${count} lines of ${name} with ${words}`, async () => {
      const input = { logGroupName: `/aws/lambda/${name}`, filterPattern: `"${words}"` };
      const { events = [] } = await this.logs.send(new FilterLogEventsCommand(input)).catch(() => ({ events: [] }));
      return events.length < count ? undefined : events.map(({ message = '' }) => message);
    });
  }

  [Symbol.dispose](): void {
    this.lambda.destroy();
    this.logs.destroy();
  }
}
