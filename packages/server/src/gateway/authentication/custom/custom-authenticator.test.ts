/** Authentication by custom authorizers (developer guide, pages custom-auth and custom-auth-509cert; fact sheet 11.1). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AuthorizerRecord, authorizers, defaultAuthorizers } from '../../../authorizers/store.ts';
import type { Admission, AdmissionRefusal, Peer, Proof } from '../../../broker/contract.ts';
import { FunctionError, type FunctionInvoker } from '../../../functions/contract.ts';
import type { Connect } from '../../../mqtt/connect.ts';
import { PermissionChanges } from '../../../policies/permission-changes.ts';
import { policies, policyAttachments } from '../../../policies/store.ts';
import { RegistryFixture } from '../../../testing/registry-fixture.ts';
import { openLog } from '../../../runtime/log.ts';
import { claim, release } from '../../../store/claims.ts';
import type { ConnectionAttempt, DomainConfiguration } from '../connection-attempt.ts';
import { RegisteredCertificates } from '../x509/registered-certificates.ts';
import { CustomAuthenticator } from './custom-authenticator.ts';

const HOME = { accountId: '000000000000', region: 'us-east-1' };
const ARN = 'arn:aws:iot:us-east-1:000000000000:';
const document = (...statements: [effect: string, action: string, resource: string][]): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: statements.map(([Effect, Action, Resource]) => ({ Effect, Action, Resource: `${ARN}${Resource}` })),
  });
const CONNECT = document(['Allow', 'iot:Connect', `client/\${iot:ClientId}`]);
const GRANT = { isAuthenticated: true, principalId: 'p1', policyDocuments: [CONNECT] };

const connect = (clientId: string, userName?: string): Connect => ({
  level: 5,
  clean: true,
  keepAlive: 60,
  clientId,
  userName,
  properties: {},
});

class Bench implements AsyncDisposable {
  readonly registry: RegistryFixture;
  readonly events: { readonly protocols: string[]; readonly protocolData: Record<string, Record<string, unknown>> }[] = [];
  readonly peer: Peer = { sourceIp: '192.0.2.1', sourcePort: 1, serverName: 'iot.example.com' };
  readonly #admission: CustomAuthenticator;
  answer: () => unknown = () => GRANT;

  private constructor(registry: RegistryFixture) {
    this.registry = registry;
    const { store, clock } = registry;
    const places = { regions: async () => ['us-east-1'], inRegion: () => store, home: HOME };
    const log = openLog('silent');
    const certificates = new RegisteredCertificates({ ...places, clock, changes: new PermissionChanges() });
    const functions: FunctionInvoker = {
      invoke: async (_arn, payload) => {
        this.events.push(JSON.parse(Buffer.from(payload).toString()) as Bench['events'][number]);
        return Buffer.from(JSON.stringify(this.answer()));
      },
      invokeLater: () => assert.fail('an authorizer waits for its function'),
    };
    this.#admission = new CustomAuthenticator({ ...places, functions, certificates, clock, log });
  }

  static open = async (): Promise<Bench> => new Bench(await RegistryFixture.open());

  async authorizer(authorizerName: string, more: Partial<AuthorizerRecord> = {}): Promise<void> {
    const record: AuthorizerRecord = {
      accountId: HOME.accountId,
      authorizerName,
      functionArn: 'http://localhost/',
      status: 'ACTIVE',
      tokenSigningPublicKeys: {},
      signingDisabled: true,
      enableCachingForHttp: false,
      createdAt: 1,
      lastModifiedAt: 1,
      ...more,
    };
    const { accountId, createdAt: since } = record;
    await this.registry.store.write(async (tx) => {
      await tx.put(authorizers, record);
      await claim(tx, { kind: 'authorizer', name: authorizerName, accountId, region: HOME.region, since, active: true });
    });
  }

  attempt = (more: Partial<ConnectionAttempt> = {}): ConnectionAttempt => ({ peer: this.peer, protocol: 'mqtt', ...more });

  async authenticate(connect: Connect, attempt = this.attempt()): Promise<Admission> {
    const answer = await this.#admission.authenticate(attempt, connect);
    return 'refused' in answer ? assert.fail(`refused: ${answer.refused.reason}`) : answer;
  }

  /** Check and reason of the refusal. */
  async refusal(connect: Connect, attempt = this.attempt()): Promise<AdmissionRefusal['refused']> {
    const answer = await this.#admission.authenticate(attempt, connect);
    return 'refused' in answer ? answer.refused : assert.fail('was let in');
  }

  authenticateStored = (proof: Proof, clientId: string) =>
    this.#admission.authenticateStored(this.attempt(), proof, connect(clientId));

  identify = (attempt: ConnectionAttempt) => this.#admission.authenticateRequest(attempt);

  async [Symbol.asyncDispose](): Promise<void> {
    await this.registry[Symbol.asyncDispose]();
  }
}

const named = (name: string): string => `u?x-amz-customauthorizer-name=${name}`;

describe('CONNECT', () => {
  test('without TLS is no secure transport', async () => {
    await using bench = await Bench.open();
    await bench.authorizer('a');
    const Condition = { Bool: { 'aws:SecureTransport': 'false' } };
    const Statement = [
      { Effect: 'Allow', Action: 'iot:*', Resource: '*' },
      { Effect: 'Deny', Action: 'iot:*', Resource: '*', Condition },
    ];
    bench.answer = () => ({ ...GRANT, policyDocuments: [JSON.stringify({ Version: '2012-10-17', Statement })] });
    await bench.authenticate(connect('c1', named('a')));
    const peer = { ...bench.peer, secureTransport: false } as const;
    const refusal = await bench.refusal(connect('c1', named('a')), bench.attempt({ peer, protocol: 'websocket' }));
    assert.equal(refusal.decision, 'EXPLICIT_DENY');
  });

  test('is admitted as the principal that the function names, with the permissions of its documents', async () => {
    await using bench = await Bench.open();
    await bench.authorizer('a');
    bench.answer = () => ({ ...GRANT, policyDocuments: [CONNECT, document(['Allow', 'iot:Publish', 'topic/t'])] });
    const { permissions, ...admission } = await bench.authenticate(connect('c1', named('a')));
    assert.deepEqual(admission, {
      ...HOME,
      principal: `${ARN}authorizer/a/p1`,
      principalId: 'p1',
      proof: undefined,
      endsAfter: { seconds: 86_400, why: 'CUSTOMAUTH_TTL_EXPIRATION' },
    });
    assert.equal(permissions.decide('iot:Publish', `${ARN}topic/t`).effect, 'ALLOWED');
    assert.equal(permissions.decide('iot:Publish', `${ARN}topic/u`).effect, 'IMPLICIT_DENY');
    assert.deepEqual(bench.events[0]?.protocols, ['tls', 'mqtt']);
    const { tls, mqtt } = bench.events[0]?.protocolData ?? {};
    assert.deepEqual([tls, mqtt], [{ serverName: 'iot.example.com' }, { username: named('a'), clientId: 'c1' }]);
  });

  test('with a will gives a proof, by which another run authorizes the will while the authorizer is ACTIVE, and asks no function', async () => {
    await using bench = await Bench.open();
    await bench.authorizer('a');
    bench.answer = () => ({ ...GRANT, policyDocuments: [CONNECT, document(['Allow', 'iot:Publish', 'topic/t'])] });
    const will = { topic: 't', payload: Buffer.alloc(0), qos: 0, retain: false, properties: {} } as const;
    const asked = { ...connect('c1', named('a')), password: Buffer.from('secret'), will };
    const { proof } = await bench.authenticate(asked);
    assert.ok(proof !== undefined && !JSON.stringify(proof).includes('secret'));
    // As it is after it was stored.
    const stored = JSON.parse(JSON.stringify(proof)) as Proof;
    const again = await bench.authenticateStored(stored, 'c1');
    assert.ok('permissions' in again);
    assert.deepEqual([again.principalId, again.accountId], ['p1', HOME.accountId]);
    assert.equal(again.permissions.decide('iot:Publish', `${ARN}topic/t`).effect, 'ALLOWED');
    assert.equal(again.permissions.decide('iot:Publish', `${ARN}topic/u`).effect, 'IMPLICIT_DENY');
    await bench.authorizer('a', { status: 'INACTIVE' });
    assert.ok('refused' in (await bench.authenticateStored(stored, 'c1')));
    assert.equal(bench.events.length, 1);
  });

  test('is refused for a client id that the documents do not allow', async () => {
    await using bench = await Bench.open();
    await bench.authorizer('a');
    bench.answer = () => ({ ...GRANT, policyDocuments: [document(['Allow', 'iot:Connect', 'client/other'])] });
    const { check, action, decision, principal } = await bench.refusal(connect('c1', named('a')));
    assert.deepEqual([check, action, decision, principal], ['policy', 'iot:Connect', 'IMPLICIT_DENY', `${ARN}authorizer/a/p1`]);
  });

  test('a refusal names the authorizer and what its function did', async () => {
    await using bench = await Bench.open();
    await bench.authorizer('a');
    for (const [answer, check, reason] of [
      [() => ({ isAuthenticated: false }), 'authorizer', /^authorizer a: .*not authenticated$/],
      [() => ({}), 'authorizer', /^authorizer a: .*isAuthenticated is not a boolean$/],
      [() => assert.fail(), 'overload', /could not read/],
    ] as const) {
      bench.answer = answer;
      const refused = await bench.refusal(connect('c1', named('a')));
      assert.equal(refused.check, check);
      assert.match(refused.reason, reason);
    }
    bench.answer = () => {
      throw new FunctionError('overload', 'too many invocations are under way');
    };
    const { check, clientId, accountId } = await bench.refusal(connect('c1', named('a')));
    assert.deepEqual([check, clientId, accountId], ['overload', 'c1', HOME.accountId]);
  });
});

describe('the authorizer', () => {
  test('is the named one, else the default; neither is a refusal', async () => {
    await using bench = await Bench.open();
    await bench.authorizer('a');
    await bench.authorizer('b', { status: 'INACTIVE' });
    assert.match((await bench.refusal(connect('c1', named('x')))).reason, /no authorizer x/);
    assert.match((await bench.refusal(connect('c1', named('b')))).reason, /b is INACTIVE/);
    const { check, reason } = await bench.refusal(connect('c1'));
    assert.equal(check, 'certificate-missing');
    assert.match(reason, /no default authorizer: .*x-amz-customauthorizer-name=NAME behind the user name/);
    const misspelt = { ...connect('c1'), userName: 'me?x-amz-custom-name=secret' };
    assert.match((await bench.refusal(misspelt)).reason, /; its user name has "x-amz-custom-name"$/);
    await bench.registry.store.write((tx) => tx.put(defaultAuthorizers, { accountId: HOME.accountId, authorizerName: 'a' }));
    assert.equal((await bench.authenticate(connect('c1'))).principal, `${ARN}authorizer/a/p1`);
  });

  test('of another account is found by its name: the first of the name, whatever others make of it later', async () => {
    await using bench = await Bench.open();
    const [there, later] = ['111111111111', '000000000001'];
    await bench.authorizer('there', { accountId: there });
    await bench.authorizer('there', { accountId: later });
    bench.answer = () => ({ ...GRANT, policyDocuments: [CONNECT.replaceAll(HOME.accountId, there)] });
    assert.equal((await bench.authenticate(connect('c1', named('there')))).accountId, there);
    await bench.authorizer('there', { accountId: there, status: 'INACTIVE' });
    assert.match((await bench.refusal(connect('c1', named('there')))).reason, /there is INACTIVE/);
    const { store } = bench.registry;
    await store.write((tx) => release(tx, { kind: 'authorizer', name: 'there', accountId: there, region: HOME.region }));
    assert.match((await bench.refusal(connect('c1', named('there')))).reason, /no authorizer there/);
    assert.equal(bench.events.length, 1, 'no function is shown the credentials meant for another');
  });

  test('is the one of the account that holds the name: INACTIVE or not, and the home account too takes it from nobody', async () => {
    const tenant = '111111111111';
    for (const [first, later] of [
      [HOME.accountId, tenant],
      [tenant, HOME.accountId],
    ] as const) {
      await using bench = await Bench.open();
      await bench.authorizer('acme', { accountId: first });
      for (const status of ['INACTIVE', 'ACTIVE'] as const) {
        await bench.authorizer('acme', { accountId: later, status });
        bench.answer = () => ({ ...GRANT, policyDocuments: [CONNECT.replaceAll(HOME.accountId, first)] });
        assert.equal((await bench.authenticate(connect('c1', named('acme')))).accountId, first, `beside one that is ${status}`);
      }
      await bench.authorizer('acme', { accountId: first, status: 'INACTIVE' });
      const asked = bench.events.length;
      const { reason, accountId } = await bench.refusal(connect('c1', named('acme')));
      assert.match(reason, /acme is INACTIVE/);
      assert.equal(accountId, first, 'its owner finds the refusal');
      assert.equal(bench.events.length, asked, 'no function is shown the credentials meant for another');
    }
  });

  test('of the home account counts where nobody holds the name', async () => {
    await using bench = await Bench.open();
    await bench.authorizer('a');
    const { store } = bench.registry;
    await store.write((tx) => release(tx, { kind: 'authorizer', name: 'a', ...HOME }));
    assert.equal((await bench.authenticate(connect('c1', named('a')))).accountId, HOME.accountId);
  });

  const domain: DomainConfiguration = {
    place: HOME,
    name: 'd',
    authenticationType: 'CUSTOM_AUTH',
    applicationProtocol: 'DEFAULT',
    serviceType: 'DATA',
    defaultAuthorizerName: 'a',
    allowAuthorizerOverride: false,
  };

  test('is the domain’s, and the client’s only where the domain allows that', async () => {
    await using bench = await Bench.open();
    await bench.authorizer('a');
    await bench.authorizer('b');
    const principal = async (allowAuthorizerOverride: boolean) =>
      (await bench.authenticate(connect('c1', named('b')), bench.attempt({ domain: { ...domain, allowAuthorizerOverride } })))
        .principal;
    assert.equal(await principal(false), `${ARN}authorizer/a/p1`);
    assert.equal(await principal(true), `${ARN}authorizer/b/p1`);
    const elsewhere = { ...domain, place: { ...HOME, accountId: '111111111111' } };
    assert.match((await bench.refusal(connect('c1'), bench.attempt({ domain: elsewhere }))).reason, /no authorizer a/);
  });

  test('beside an X.509 certificate must name its id, and adds to its policies', async () => {
    await using bench = await Bench.open();
    await bench.authorizer('a');
    const { id, arn, pem } = await bench.registry.certificate();
    const der = Buffer.from(pem.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64');
    const x509 = { ...domain, authenticationType: 'CUSTOM_AUTH_X509' } as const;
    const attempt = () => bench.attempt({ domain: x509, peer: { ...bench.peer, certificateId: id, certificateDer: () => der } });
    assert.equal((await bench.refusal(connect('c1'), bench.attempt({ domain: x509 }))).check, 'certificate-missing');
    assert.equal(bench.events.length, 0, 'the certificate is checked first');
    assert.match((await bench.refusal(connect('c1'), attempt())).reason, /principalId is not the id of the client certificate/);

    bench.answer = () => ({ isAuthenticated: true, principalId: id });
    assert.equal(
      (await bench.refusal(connect('c1'), attempt())).check,
      'policy',
      'documents may be absent, and then grant nothing',
    );
    await bench.registry.store.write(async (tx) => {
      const { accountId } = HOME;
      const version = { versionId: '1', document: CONNECT, createdAt: 1 };
      const times = { createdAt: 1, lastModifiedAt: 1, generation: 1 };
      await tx.put(policies, {
        accountId,
        policyName: 'p',
        ...times,
        defaultVersionId: '1',
        nextVersion: 2,
        versions: [version],
      });
      await tx.put(policyAttachments, { accountId, policyName: 'p', target: arn, attachedAt: 1 });
    });
    bench.answer = () => ({
      isAuthenticated: true,
      principalId: id,
      policyDocuments: [document(['Allow', 'iot:Publish', 'topic/t'])],
    });
    const { permissions, principalId, reauthorizeAfter } = await bench.authenticate(connect('c2'), attempt());
    assert.equal(permissions.decide('iot:Publish', `${ARN}topic/t`).effect, 'ALLOWED');
    assert.equal(principalId, id);
    assert.ok(reauthorizeAfter !== undefined, 'the certificate ends some day');
    const { x509CertificatePem, principalId: told } = bench.events.at(-1)?.protocolData.tls ?? {};
    assert.equal(told, id);
    assert.match(String(x509CertificatePem), /^-----BEGIN CERTIFICATE-----/);
  });
});

describe('a connection that stands', () => {
  test('is asked for again when its refresh is due and not before; its end stays where the first answer put it', async () => {
    await using bench = await Bench.open();
    await bench.authorizer('a');
    const attempt = bench.attempt();
    const authenticate = () => bench.authenticate(connect('c1', named('a')), attempt);
    bench.answer = () => ({ ...GRANT, refreshAfterInSeconds: 600, disconnectAfterInSeconds: 3600 });
    assert.equal((await authenticate()).reauthorizeAfter, 600);
    bench.registry.clock.at += 200_000;
    assert.equal((await authenticate()).reauthorizeAfter, 400);
    assert.equal(bench.events.length, 1);

    bench.registry.clock.at += 400_000;
    const more = [CONNECT, document(['Allow', 'iot:Publish', 'topic/t'])];
    bench.answer = () => ({ ...GRANT, policyDocuments: more, disconnectAfterInSeconds: 7200 });
    const { permissions, endsAfter, reauthorizeAfter } = await authenticate();
    assert.equal(bench.events.length, 2);
    assert.equal(permissions.decide('iot:Publish', `${ARN}topic/t`).effect, 'ALLOWED');
    assert.equal(endsAfter?.seconds, 3600);
    assert.equal(reauthorizeAfter, undefined, 'an answer without a refresh asks for none');
    const ids = bench.events.map((event) => (event as unknown as { connectionMetadata: { id: string } }).connectionMetadata.id);
    assert.equal(ids[0], ids[1], 'one connection, one id');
  });

  test('is refused when the refresh fails', async () => {
    await using bench = await Bench.open();
    await bench.authorizer('a');
    const attempt = bench.attempt();
    bench.answer = () => ({ ...GRANT, refreshAfterInSeconds: 300 });
    await bench.authenticate(connect('c1', named('a')), attempt);
    bench.registry.clock.at += 300_000;
    bench.answer = () => ({ isAuthenticated: false });
    assert.match((await bench.refusal(connect('c1', named('a')), attempt)).reason, /not authenticated/);
  });
});

describe('HTTPS', () => {
  const http = (headers: Record<string, string> = {}) => ({
    method: 'POST',
    path: '/topics/t',
    query: 'x-amz-customauthorizer-name=a',
    headers: new Map(Object.entries(headers).map(([name, value]) => [name, [value]])),
  });
  const at = (bench: Bench, headers: Record<string, string>, sourcePort = 1): ConnectionAttempt =>
    bench.attempt({ protocol: 'https', http: http(headers), peer: { ...bench.peer, sourcePort } });

  test('has the function asked for each request, with the head and without MQTT', async () => {
    await using bench = await Bench.open();
    await bench.authorizer('a');
    bench.answer = () => ({ ...GRANT, policyDocuments: [document(['Allow', 'iot:Publish', 'topic/t'])] });
    for (const token of ['one', 'two']) {
      const who = await bench.identify(at(bench, { token }));
      assert.ok(!('refused' in who));
      assert.equal(who.permissions.decide('iot:Publish', `${ARN}topic/t`).effect, 'ALLOWED');
    }
    assert.deepEqual(bench.events[0]?.protocols, ['tls', 'http']);
    assert.deepEqual(bench.events[0]?.protocolData.http, {
      headers: { token: 'one' },
      queryString: '?x-amz-customauthorizer-name=a',
    });
    assert.equal(bench.events.length, 2);
  });

  test('with enableCachingForHttp the answer holds for the same credentials on the same connection, for its time', async () => {
    await using bench = await Bench.open();
    await bench.authorizer('a', { enableCachingForHttp: true });
    bench.answer = () => ({ ...GRANT, refreshAfterInSeconds: 600 });
    const asked = async (headers: Record<string, string>, port = 1): Promise<number> => {
      assert.ok(!('refused' in (await bench.identify(at(bench, headers, port)))));
      return bench.events.length;
    };
    assert.equal(await asked({ token: 'one', 'content-length': '3' }), 1);
    assert.equal(await asked({ token: 'one', 'content-length': '4' }), 1);
    assert.equal(await asked({ token: 'two' }), 2, 'other credentials');
    assert.equal(await asked({ token: 'one' }, 2), 3, 'another connection');
    bench.registry.clock.at += 600_000;
    assert.equal(await asked({ token: 'one' }), 4, 'its time is over');
    await bench.authorizer('a', { enableCachingForHttp: true, lastModifiedAt: 2 });
    assert.equal(await asked({ token: 'one' }), 5, 'the authorizer has changed');
  });

  test('what was refused is not remembered', async () => {
    await using bench = await Bench.open();
    await bench.authorizer('a', { enableCachingForHttp: true });
    bench.answer = () => ({ isAuthenticated: false });
    assert.ok('refused' in (await bench.identify(at(bench, { token: 'one' }))));
    bench.answer = () => GRANT;
    assert.ok(!('refused' in (await bench.identify(at(bench, { token: 'one' })))));
  });
});
