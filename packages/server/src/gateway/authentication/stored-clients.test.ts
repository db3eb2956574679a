/** Authorizers of stored wills: each client by the authenticator that let it in, and by its permissions now. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fail } from '@thingkeep/wire/errors.ts';
import { pino } from 'pino';
import type { Proof } from '../../broker/contract.ts';
import type { Connect } from '../../mqtt/connect.ts';
import type { ClientPermissions } from '../authorization/permissions.ts';
import type { KeyUse } from '@thingkeep/wire/api/authorization.ts';
import type { Authenticator } from './authenticator.ts';
import type { ConnectionAttempt } from './connection-attempt.ts';
import type { CustomAuthenticator } from './custom/custom-authenticator.ts';
import type { Signer } from './sigv4/signer.ts';
import { Sigv4Authenticator } from './sigv4/sigv4-authenticator.ts';
import { storedAuthorizer } from './stored-clients.ts';

const PEER = { sourceIp: '192.0.2.7', sourcePort: 1, serverName: 'iot.example.com' };
const WILL = { topic: 'wills/w', payload: Buffer.alloc(0), qos: 0, retain: false, properties: {} } as const;
const CONNECT: Connect = { level: 4, clean: true, keepAlive: 0, clientId: 'c', will: WILL, properties: {} };
const ACCOUNT = '000000000000';
const KEY: Signer['key'] = {
  accessKeyId: 'ASIATEST',
  sessionToken: 'token',
  accountId: ACCOUNT,
  arn: 'arn:aws:iam::000000000000:user/u',
  userId: 'AIDA',
};
const HEADERS = new Map([
  ['host', ['iot.example.com']],
  ['user-agent', ['sdk/1']],
  ['authorization', ['a signature']],
]);

interface SignedConnect {
  readonly key?: Signer['key'];
  readonly find?: (accessKeyId: string, sessionToken?: string) => Promise<Signer['key'] | undefined>;
}

/** The proof that a signed CONNECT gives, and the authorizer of it in another run. */
async function authenticateSigned({ key = KEY, find = async () => key }: SignedConnect) {
  const signer = { service: 'iotdevicegateway', region: 'eu-west-1', key };
  const prover = { begin: async () => ({ finish: () => signer }), webSocket: async () => signer };
  const sigv4 = new Sigv4Authenticator(prover, pino({ level: 'silent' }));
  const http = { method: 'GET', path: '/mqtt', query: '', headers: HEADERS };
  const first = await sigv4.authenticate({ peer: PEER, protocol: 'websocket', http, signer }, CONNECT);
  assert.ok('proof' in first && first.proof !== undefined);
  const proof = JSON.parse(JSON.stringify(first.proof)) as Proof;
  const unused = {} as Authenticator & CustomAuthenticator;
  const authorizerOf = storedAuthorizer({ x509: unused, sigv4, custom: unused, domainOf: () => undefined, findKey: find });
  return { proof, answer: await authorizerOf({ peer: PEER, proof })(CONNECT) };
}

test('a client that signed is authorized by its key as it is now, and by the head that it came with', async () => {
  const uses: KeyUse[] = [];
  const asked: unknown[] = [];
  const key: Signer['key'] = {
    ...KEY,
    permissions: async (use) => {
      uses.push(use);
      return { volatile: false, decide: () => ({ effect: 'ALLOWED' }) };
    },
  };
  const { proof, answer } = await authenticateSigned({
    key,
    find: async (...by) => {
      asked.push(by);
      return key;
    },
  });
  assert.ok('permissions' in answer);
  assert.deepEqual([answer.accountId, answer.region, answer.principalId], [ACCOUNT, 'eu-west-1', 'AIDA']);
  assert.deepEqual(asked, [['ASIATEST', 'token']]);
  assert.deepEqual(uses[1], uses[0]);
  assert.equal(uses[1]?.userAgent, 'sdk/1');
  assert.ok(!JSON.stringify(proof).includes('a signature'));
});

test('a key that is gone, has expired or has lost its permissions lets no will out', async () => {
  const none: ClientPermissions = { volatile: false, decide: () => ({ effect: 'IMPLICIT_DENY' }) };
  const lost = { ...KEY, permissions: async () => none };
  for (const find of [
    async () => undefined,
    async () => fail('ExpiredTokenException', 'The security token included in the request is expired'),
    async () => lost,
    async () => ({ ...KEY, isGone: () => true }),
  ])
    assert.ok('refused' in (await authenticateSigned({ find })).answer);
});

test('a client without a proof is authorized by its certificate, in the place of the domain that it asked for', async () => {
  const attempts: ConnectionAttempt[] = [];
  const x509 = {
    authenticate: async (attempt: ConnectionAttempt) => {
      attempts.push(attempt);
      return { refused: { check: 'certificate-unknown', reason: 'no' } } as const;
    },
  } as unknown as Authenticator;
  const domain = { place: { accountId: ACCOUNT, region: 'us-east-1' } } as NonNullable<ConnectionAttempt['domain']>;
  const unused = {} as Sigv4Authenticator & CustomAuthenticator;
  const authorizerOf = storedAuthorizer({
    x509,
    sigv4: unused,
    custom: unused,
    domainOf: () => domain,
    findKey: async () => undefined,
  });
  assert.ok('refused' in (await authorizerOf({ peer: { ...PEER, certificateId: 'f' } })(CONNECT)));
  assert.deepEqual([attempts[0]?.peer.certificateId, attempts[0]?.domain], ['f', domain]);
});
