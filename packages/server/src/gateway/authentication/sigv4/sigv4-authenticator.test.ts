/** Authentication by signature: who it is, for how long, and what requests it may sign (facts 1.1, 1.5, 2.2, 7.2). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import { pino } from 'pino';
import type { Connect } from '../../../mqtt/connect.ts';
import type { KeyUse } from '@thingkeep/wire/api/authorization.ts';
import type { ConnectionAttempt } from '../connection-attempt.ts';
import type { Signer } from './signer.ts';
import { Sigv4Authenticator } from './sigv4-authenticator.ts';

const ARN = 'arn:aws:sts::000000000000:assumed-role/r/s';
const signer = (key: Partial<Signer['key']> = {}, service = 'iotdevicegateway'): Signer => ({
  service,
  region: 'eu-west-1',
  key: { accessKeyId: 'ASIATEST', accountId: '000000000000', arn: ARN, userId: 'AROA:s', ...key },
});
const admission = (signed: Signer): Sigv4Authenticator =>
  new Sigv4Authenticator(
    { begin: async () => ({ finish: () => signed }), webSocket: async () => signed },
    pino({ level: 'silent' }),
  );
const attempt: ConnectionAttempt = {
  peer: { sourceIp: '192.0.2.7', sourcePort: 1, certificateId: 'f'.repeat(64), certificateDer: () => Buffer.of(1) },
  protocol: 'websocket',
  http: { method: 'GET', path: '/mqtt', query: '', headers: new Map() },
};
const connect: Connect = { level: 4, clean: true, keepAlive: 60, clientId: 'c', properties: {} };

describe('a WebSocket', () => {
  test('is the IAM identity of its key, for 24 hours, in the region of the signature', async () => {
    const methods = admission(signer());
    const answer = await methods.authenticate(await methods.prove(attempt), connect);
    assert.ok(!('refused' in answer));
    const { permissions, ...admitted } = answer;
    assert.deepEqual(admitted, {
      accountId: '000000000000',
      region: 'eu-west-1',
      principal: ARN,
      principalId: 'AROA:s',
      proof: undefined,
      endsAfter: { seconds: 86_400, why: 'WEBSOCKET_TTL_EXPIRATION' },
    });
    assert.equal(permissions.decide('iot:Publish', 'arn:aws:iot:eu-west-1:000000000000:topic/a').effect, 'ALLOWED');
  });

  test('has nothing to do with a certificate that TLS saw, but with the one its key was got with', async () => {
    assert.deepEqual((await admission(signer()).prove(attempt)).peer, { sourceIp: '192.0.2.7', sourcePort: 1 });
    const { peer } = await admission(signer({ certificateId: 'a' })).prove(attempt);
    assert.deepEqual(peer, { sourceIp: '192.0.2.7', sourcePort: 1, certificateId: 'a' });
  });

  test('that was not proven is refused', async () => {
    const answer = await admission(signer()).authenticate(attempt, connect);
    assert.ok('refused' in answer);
    assert.equal(answer.refused.check, 'signature');
  });

  test('is refused when its permissions can not be read', async () => {
    const methods = admission(signer({ permissions: () => Promise.reject(new ThingkeepError('InternalFailureException', 'x')) }));
    const answer = await methods.authenticate(await methods.prove(attempt), connect);
    assert.ok('refused' in answer);
    assert.equal(answer.refused.check, 'overload');
  });
});

describe('a request', () => {
  const code = (work: () => unknown): string | undefined => {
    try {
      work();
      return undefined;
    } catch (error) {
      return error instanceof ThingkeepError ? error.code : String(error);
    }
  };

  test('is signed for the data plane, under any of its names, or for that of jobs', async () => {
    for (const service of ['iotdata', 'iotdevicegateway', 'iot-jobs-data']) {
      const finish = await admission(signer({}, service)).begin(attempt);
      assert.equal(finish(Buffer.alloc(0)).signer?.service, service);
    }
    for (const service of ['iot', 'sts', 'execute-api']) {
      const finish = await admission(signer({}, service)).begin(attempt);
      assert.equal(
        code(() => finish(Buffer.alloc(0))),
        'InvalidSignatureException',
        service,
      );
    }
  });

  test('of a key without permissions of its own may do everything, of any other what its permissions say', async () => {
    const all = admission(signer());
    const everything = await all.authenticateRequest(await all.prove(attempt));
    assert.ok(!('refused' in everything));
    assert.equal(everything.everything, true);
    const uses: KeyUse[] = [];
    const little = admission(
      signer({
        permissions: async (use) => {
          uses.push(use);
          return { volatile: false, decide: () => ({ effect: 'IMPLICIT_DENY' }) };
        },
      }),
    );
    const who = await little.authenticateRequest(await little.prove(attempt));
    assert.ok(!('refused' in who));
    assert.equal(who.everything, undefined);
    assert.equal(who.permissions.decide('iot:Publish', '*').effect, 'IMPLICIT_DENY');
    const [use] = uses;
    assert.deepEqual([use?.protocol, use?.sourceIp, use?.region, use?.secureTransport], ['http', '192.0.2.7', 'eu-west-1', true]);
    assert.ok('refused' in (await little.authenticateRequest(attempt)));
    const nobody = admission(signer({ permissions: async () => undefined }));
    assert.ok('refused' in (await nobody.authenticateRequest(await nobody.prove(attempt))));
  });
});
