/** Users, sessions and calls for tests of what policies say: a server, its IAM, and whether one was refused. */
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { CreateThingTypeCommand } from '@aws-sdk/client-iot';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { ACCOUNT } from './devices.ts';
import type { Credentials } from './presign.ts';
import { startServer, type TestServer } from './test-core.ts';

export const document = (...Statement: object[]): string => JSON.stringify({ Version: '2012-10-17', Statement });
export const ALLOW = { Effect: 'Allow', Action: '*', Resource: '*' };
export const deny = (Condition: object, Action: string | string[] = '*') => ({
  Effect: 'Deny',
  Action,
  Resource: '*',
  Condition,
});

export const ROLE = `arn:aws:iam::${ACCOUNT}:role/ops`;

export interface User extends Credentials {
  readonly name: string;
  /** Puts the user's only policy. */
  readonly policy: (...statements: object[]) => Promise<unknown>;
}

/** A call as somebody. */
export type Ask = (as: Credentials) => Promise<unknown>;

/** Whether the call was refused for want of permissions; any other error comes after that. */
export async function isDenied(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return false;
  } catch (error) {
    return ['AccessDenied', 'AccessDeniedException', 'ForbiddenException'].includes((error as Error).name);
  }
}

/** A server with the role `ops`, which the account may assume, and the thing type `lamp`; both are of the team `blue`. */
export class IamBench implements AsyncDisposable {
  readonly server: TestServer;
  readonly iam: IAMClient;
  #users = 0;

  private constructor(server: TestServer) {
    this.server = server;
    this.iam = new IAMClient(this.client(server.credentials()));
  }

  static async open(): Promise<IamBench> {
    const bench = new IamBench(await startServer());
    const tags = [{ Key: 'team', Value: 'blue' }];
    const trust = { Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' };
    await bench.iam.send(new CreateRoleCommand({ RoleName: 'ops', AssumeRolePolicyDocument: document(trust), Tags: tags }));
    await bench.server.iot.send(new CreateThingTypeCommand({ thingTypeName: 'lamp', tags }));
    return bench;
  }

  client(credentials: Credentials) {
    return { endpoint: this.server.url, region: 'us-east-1', maxAttempts: 1, credentials };
  }

  /** A user of the team `blue`, with a key. */
  async makeUser(...statements: object[]): Promise<User> {
    this.#users += 1;
    const name = `user${this.#users}`;
    await this.iam.send(new CreateUserCommand({ UserName: name, Tags: [{ Key: 'team', Value: 'blue' }] }));
    const policy = (...all: object[]) =>
      this.iam.send(new PutUserPolicyCommand({ UserName: name, PolicyName: 'p', PolicyDocument: document(...all) }));
    await policy(...statements);
    const { AccessKey } = await this.iam.send(new CreateAccessKeyCommand({ UserName: name }));
    return { name, policy, accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
  }

  async assume(by: Credentials, more: object = {}): Promise<Required<Credentials>> {
    const sts = new STSClient(this.client(by));
    const input = { RoleArn: ROLE, RoleSessionName: 'night', ...more };
    const { Credentials: made } = await sts.send(new AssumeRoleCommand(input)).finally(() => sts.destroy());
    return {
      accessKeyId: made?.AccessKeyId ?? '',
      secretAccessKey: made?.SecretAccessKey ?? '',
      sessionToken: made?.SessionToken ?? '',
    };
  }

  /** One command of an SDK's client. */
  sending =
    <C extends { destroy(): void; send(command: never): Promise<unknown> }>(
      Client: new (config: object) => C,
      command: () => object,
    ): Ask =>
    async (as) => {
      const sender = new Client(this.client(as));
      try {
        return await sender.send(command() as never);
      } finally {
        sender.destroy();
      }
    };

  async [Symbol.asyncDispose](): Promise<void> {
    this.iam.destroy();
    await this.server[Symbol.asyncDispose]();
  }
}
