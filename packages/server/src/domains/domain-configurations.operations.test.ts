/** Domain configurations over a real store: what is served, by which certificate, and for how long (facts 1.2, 1.3). */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { before, beforeEach, test } from 'node:test';
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import type { Authority } from '../authority/authority.ts';
import { isFunctionName } from '../functions/function-name.ts';
import { ChangeFeed } from '../store/change-feed.ts';
import type { PolicyTags } from '../policies/principals.ts';
import { byRegion, regionsOf } from '../store/regional.ts';
import { openTestAuthority } from '../testing/authority-fixture.ts';
import { caller, clockAt, rootOf, type TestStore, TestStores } from '../testing/operations-fixture.ts';
import { domainCreationOperations } from './domain-creation.operations.ts';
import { DomainDirectory } from './directory.ts';
import { domainOperations } from './domain-configurations.operations.ts';
import { OperatorNames } from './operator-names.ts';
import { domainNaming, DomainServing } from './serving.ts';
import { domainConfigurations, issuedCertificates } from './store.ts';

const DAY = 86_400_000;
const west = rootOf('210987654321', 'us-west-2');

const clock = clockAt(Date.UTC(2026, 5, 1));
const tags: PolicyTags = { put: async () => undefined, remove: async () => undefined };
let authority: Authority;
before(async () => {
  authority = await openTestAuthority(clock, ['iot.example.com']);
});

/** Account of the operator; `caller` and `west` are others. */
const HOME = '000000000000';
const home = rootOf(HOME);
/** Of --server-certificate. */
let operatorCertificate: string | undefined;
const told: object[] = [];
const stores = new TestStores();
let store: TestStore;
let directory: DomainDirectory;
let serving: DomainServing;
let domains: (
  region: string,
) => Required<
  Handlers<Pick<IotOperations, `${'Create' | 'Describe' | 'Update' | 'Delete'}DomainConfiguration` | 'ListDomainConfigurations'>>
>;

/** As a start of the server does it. */
async function start(): Promise<void> {
  const changes = new ChangeFeed({ store, log: console });
  const inRegion = byRegion(changes.store);
  directory = new DomainDirectory();
  const operatorNames = new OperatorNames({
    hostNames: ['iot.example.com', 'localhost'],
    homeAccountId: HOME,
    certificatePem: operatorCertificate,
  });
  const note = (line: object): void => void told.push(line);
  const log = { warn: note, error: note };
  serving = new DomainServing({
    directory,
    operatorNames,
    log,
    regions: () => regionsOf(store),
    inRegion,
    issuer: authority,
    clock,
  });
  await serving.load();
  serving.follow(changes);
  domains = (region) => {
    const options = {
      store: inRegion(region),
      clock,
      tags,
      directory,
      operatorNames,
      issuer: authority,
      endpoint: 'iot.example.com',
      isFunctionName,
    };
    return { ...domainCreationOperations(options), ...domainOperations(options) } as ReturnType<typeof domains>;
  };
}

beforeEach(async () => {
  operatorCertificate = undefined;
  told.length = 0;
  clock.at = Date.UTC(2026, 5, 1);
  store = await stores.next();
  await start();
});
const create = (domainConfigurationName: string, more: object = {}, by = caller) =>
  domains(by.region).CreateDomainConfiguration({ domainConfigurationName, ...more }, by);
const update = (domainConfigurationName: string, more: object) =>
  domains(caller.region).UpdateDomainConfiguration({ domainConfigurationName, ...more }, caller);
const describe = (domainConfigurationName: string) =>
  domains(caller.region).DescribeDomainConfiguration({ domainConfigurationName }, caller);
const servedCertificate = (name: string): X509Certificate | undefined => {
  const tls = directory.tlsOf(name);
  return tls === undefined || tls === 'disabled' ? undefined : new X509Certificate(tls.cert[0] ?? '');
};

test('a name of one’s own is served with a certificate of the server’s authority, also after a restart', async () => {
  await create('own', { domainName: 'Own.Example.com', authorizerConfig: { defaultAuthorizerName: 'mine' } });
  await start();
  assert.equal(servedCertificate('own.example.com')?.checkHost('own.example.com'), 'own.example.com');
  assert.equal(servedCertificate('OWN.EXAMPLE.COM')?.checkHost('own.example.com'), 'own.example.com');
  const expiries = directory.find('own.example.com')?.tls.cert.map((pem) => new X509Certificate(pem).validToDate.getTime());
  assert.equal(directory.find('own.example.com')?.tls.notAfter, Math.min(...(expiries ?? [])), 'the first to expire');
  assert.deepEqual(directory.find('own.example.com')?.rules, {
    place: { region: 'us-east-1', accountId: '123456789012' },
    name: 'own',
    authenticationType: 'DEFAULT',
    applicationProtocol: 'DEFAULT',
    serviceType: 'DATA',
    defaultAuthorizerName: 'mine',
    allowAuthorizerOverride: false,
  });
  assert.equal((await describe('own')).domainName, 'Own.Example.com', 'read back as it was written');
});

test('without a name the server makes one up, below its endpoint', async () => {
  await create('managed');
  const { domainName = '', domainType, serverCertificates } = await describe('managed');
  assert.match(domainName, /^[a-z0-9]{14}\.iot\.example\.com$/);
  assert.equal(domainType, 'AWS_MANAGED');
  assert.deepEqual(serverCertificates, []);
  assert.equal(servedCertificate(domainName)?.checkHost(domainName), domainName);
});

test('certificates of the server’s authority are renewed in time, and only then', async () => {
  await create('own', { domainName: 'own.example.com' });
  const first = servedCertificate('own.example.com')?.fingerprint256;
  assert.equal(await serving.renewIfDue(), false);
  clock.at += 200 * DAY;
  assert.equal(await serving.renewIfDue(), false);
  clock.at += 60 * DAY;
  assert.equal(await serving.renewIfDue(), true);
  const second = servedCertificate('own.example.com');
  assert.notEqual(second?.fingerprint256, first);
  assert.ok((second?.validToDate.getTime() ?? 0) > clock.at + 300 * DAY);
  await start();
  assert.equal(servedCertificate('own.example.com')?.fingerprint256, second?.fingerprint256, 'it is stored');
});

test('a key or certificate that is damaged is named and not served; one of the server’s authority is made again', async () => {
  await create('own', { domainName: 'own.example.com' });
  await create('other', { domainName: 'other.example.com' });
  const place = byRegion(store)(caller.region);
  const good = await place.read((tx) => tx.get(issuedCertificates, [caller.accountId, 'own']));
  assert(good !== undefined);
  /** The key, or the certificate's signature, with one letter changed. */
  const changed = (pem: string, at: number): string => `${pem.slice(0, at)}${pem[at] === 'A' ? 'B' : 'A'}${pem.slice(at + 1)}`;
  for (const bad of [
    { ...good, key: [changed(good.key[0] ?? '', 120), good.key[1] ?? ''] },
    { ...good, cert: [changed(good.cert[0] ?? '', (good.cert[0] ?? '').indexOf('-----END') - 20), good.cert[1] ?? ''] },
    { ...good, key: [...good.key].reverse() },
    { ...good, key: [] },
  ]) {
    await place.write((tx) => tx.put(issuedCertificates, bad));
    told.length = 0;
    await start();
    assert.equal(directory.find('own.example.com'), undefined);
    assert.ok(servedCertificate('other.example.com'));
    const line = { event: 'domain-not-served', accountId: caller.accountId, region: caller.region };
    assert.deepEqual(told, [{ ...line, domainConfiguration: 'own', domainName: 'own.example.com' }]);
    assert.equal(await serving.renewIfDue(), true);
    assert.equal(servedCertificate('own.example.com')?.checkHost('own.example.com'), 'own.example.com');
    assert.equal(await serving.renewIfDue(), false);
  }
});

test('a name leads to one configuration of all accounts and regions', async () => {
  await create('own', { domainName: 'own.example.com' });
  await assert.rejects(create('theirs', { domainName: 'own.example.com' }, west), { code: 'ResourceAlreadyExistsException' });
  await assert.rejects(create('theirs', { domainName: 'OWN.example.com' }, west), { code: 'ResourceAlreadyExistsException' });
  await assert.rejects(create('theirs', { domainName: 'IOT.example.com' }, west), { code: 'InvalidRequestException' });
  const race = await Promise.allSettled([
    create('a', { domainName: 'race.example' }),
    create('b', { domainName: 'race.example' }, west),
  ]);
  assert.deepEqual(race.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  await update('own', { domainConfigurationStatus: 'DISABLED' });
  await domains('us-east-1').DeleteDomainConfiguration({ domainConfigurationName: 'own' }, caller);
  assert.equal(directory.find('own.example.com'), undefined);
  await create('theirs', { domainName: 'own.example.com' }, west);
  assert.equal(directory.find('own.example.com')?.rules.place.region, 'us-west-2');
});

test('a name that was refused is free again', async () => {
  for (let each = 0; each < 10; each += 1) await create(`d${each}`, { domainName: `d${each}.example` });
  await assert.rejects(create('one-more', { domainName: 'free.example' }), { code: 'LimitExceededException' });
  await create('theirs', { domainName: 'free.example' }, west);
});

test('updates count at once; the time of the last change of status is kept (API reference)', async () => {
  await create('own', { domainName: 'own.example.com' });
  const created = clock.at;
  clock.at += DAY;
  await update('own', {
    tlsConfig: { securityPolicy: 'IoTSecurityPolicy_TLS13_1_3_2022_10' },
    authenticationType: 'CUSTOM_AUTH',
    applicationProtocol: 'MQTT_WSS',
    authorizerConfig: { allowAuthorizerOverride: true },
  });
  assert.equal(directory.narrowsTls, true);
  const { rules, tls } = directory.find('own.example.com') ?? {};
  assert.deepEqual([tls?.minVersion, tls?.maxVersion], ['TLSv1.3', 'TLSv1.3']);
  assert.deepEqual([rules?.authenticationType, rules?.applicationProtocol], ['CUSTOM_AUTH', 'MQTT_WSS']);
  assert.equal(rules?.allowAuthorizerOverride, true);
  assert.equal((await describe('own')).lastStatusChangeDate?.getTime(), created);
  const removed = { authenticationType: 'DEFAULT', applicationProtocol: 'DEFAULT', removeAuthorizerConfig: true };
  await update('own', { domainConfigurationStatus: 'DISABLED', ...removed });
  assert.equal(directory.tlsOf('own.example.com'), 'disabled');
  const { authorizerConfig, lastStatusChangeDate } = await describe('own');
  assert.equal(authorizerConfig, undefined);
  assert.equal(lastStatusChangeDate?.getTime(), clock.at);
  await update('own', { tlsConfig: { securityPolicy: 'IoTSecurityPolicy_TLS13_1_2_2022_10' } });
  assert.equal(directory.narrowsTls, false);
});

test('pairs of authentication and protocol are those of AWS, also across updates (fact 1.2)', async () => {
  const pairs: Record<string, string[]> = {
    AWS_X509: ['SECURE_MQTT', 'HTTPS'],
    CUSTOM_AUTH_X509: ['SECURE_MQTT', 'HTTPS'],
    AWS_SIGV4: ['MQTT_WSS', 'HTTPS'],
    CUSTOM_AUTH: ['SECURE_MQTT', 'MQTT_WSS', 'HTTPS'],
  };
  await create('own', { domainName: 'own.example.com', authorizerConfig: { defaultAuthorizerName: 'mine' } });
  for (const [authenticationType, allowed] of Object.entries(pairs))
    for (const applicationProtocol of ['SECURE_MQTT', 'MQTT_WSS', 'HTTPS']) {
      const change = update('own', { authenticationType, applicationProtocol });
      if (allowed.includes(applicationProtocol)) await change;
      else await assert.rejects(change, { code: 'InvalidRequestException' }, `${authenticationType} ${applicationProtocol}`);
    }
  await update('own', { authenticationType: 'AWS_SIGV4', applicationProtocol: 'MQTT_WSS' });
  await assert.rejects(update('own', { authenticationType: 'AWS_X509' }), { code: 'InvalidRequestException' });
});

test('a type needs a protocol, and CUSTOM_AUTH an authorizer, in words of AWS (pf-iot-domainconfiguration-auth-combo)', async () => {
  const code = 'InvalidRequestException';
  const protocol =
    /^The domain must configure a supported ApplicationProtocol when configuring an AuthenticationType\. Please refer to/;
  const authorizer = /^The domain configuration must have a valid AuthorizerConfig configured when using CUSTOM_AUTH as the Auth/;
  await create('own', { domainName: 'own.example.com' });
  for (const authenticationType of ['AWS_X509', 'AWS_SIGV4', 'CUSTOM_AUTH', 'CUSTOM_AUTH_X509'])
    for (const change of [create('new', { authenticationType }), update('own', { authenticationType })])
      await assert.rejects(change, { code, message: protocol }, authenticationType);
  const custom = { authenticationType: 'CUSTOM_AUTH', applicationProtocol: 'MQTT_WSS' };
  for (const change of [create('new', custom), update('own', custom)])
    await assert.rejects(change, { code, message: authorizer });
  await update('own', { ...custom, authorizerConfig: { defaultAuthorizerName: 'mine' } });
  await assert.rejects(update('own', { removeAuthorizerConfig: true }), { code, message: authorizer });
});

test('the function of clientCertificateConfig is of the region of the domain', async () => {
  const functionIn = (region: string) => ({
    clientCertificateConfig: { clientCertificateCallbackArn: `arn:aws:lambda:${region}:123456789012:function:f` },
  });
  const elsewhere = {
    code: 'InvalidRequestException',
    message: 'Lambda function region must be same as domain configuration own region',
  };
  await assert.rejects(create('own', { domainName: 'own.example.com', ...functionIn('eu-west-1') }), elsewhere);
  await create('own', { domainName: 'own.example.com', ...functionIn('us-east-1') });
  await assert.rejects(update('own', functionIn('eu-west-1')), elsewhere);
});

test('a combination that was stored before it was refused stays, and can be changed beside', async () => {
  await create('own', { domainName: 'own.example.com' });
  await byRegion(store)('us-east-1').write(async (tx) => {
    const record = await tx.get(domainConfigurations, ['123456789012', 'own']);
    assert.ok(record !== undefined);
    const clientCertificateConfig = { clientCertificateCallbackArn: 'arn:aws:lambda:eu-west-1:123456789012:function:f' };
    await tx.put(domainConfigurations, { ...record, authenticationType: 'CUSTOM_AUTH', clientCertificateConfig });
  });
  await start();
  assert.equal(directory.find('own.example.com')?.rules.authenticationType, 'CUSTOM_AUTH');
  await update('own', { domainConfigurationStatus: 'DISABLED' });
});

test('lists are sorted by name with the built-in one, by page and by service (API reference ListDomainConfigurations)', async () => {
  for (const name of ['z', 'a']) await create(name, { domainName: `${name}.example` });
  await create('keys', { domainName: 'keys.example', serviceType: 'CREDENTIAL_PROVIDER' });
  const list = async (input: object): Promise<{ names: unknown[]; next: string | undefined }> => {
    const { domainConfigurations = [], nextMarker } = await domains('us-east-1').ListDomainConfigurations(input, caller);
    return { names: domainConfigurations.map((each) => each.domainConfigurationName), next: nextMarker };
  };
  assert.deepEqual(await list({}), { names: ['a', 'iot:Data-ATS', 'keys', 'z'], next: undefined });
  assert.deepEqual((await list({ serviceType: 'CREDENTIAL_PROVIDER' })).names, ['keys']);
  const { names, next } = await list({ pageSize: 3 });
  assert.equal(names.length, 3);
  assert.match(next ?? '', /^[A-Za-z0-9+/]+={0,2}$/);
  assert.deepEqual(await list({ pageSize: 3, marker: next }), { names: ['z'], next: undefined });
  await assert.rejects(list({ marker: 'abc' }), { code: 'InvalidRequestException' });
  const { domainConfigurations } = await domains('us-west-2').ListDomainConfigurations({}, west);
  assert.deepEqual(
    domainConfigurations?.map((each) => each.domainConfigurationArn),
    ['arn:aws:iot:us-west-2:210987654321:domainconfiguration/iot:Data-ATS'],
  );
});

test('the built-in configuration is the endpoint', async () => {
  const { domainName, domainType, domainConfigurationStatus, domainConfigurationArn } = await describe('iot:Data-ATS');
  assert.deepEqual([domainName, domainType, domainConfigurationStatus], ['iot.example.com', 'ENDPOINT', 'ENABLED']);
  assert.equal(domainConfigurationArn, 'arn:aws:iot:us-east-1:123456789012:domainconfiguration/iot:Data-ATS');
  await assert.rejects(describe('none'), { code: 'ResourceNotFoundException' });
  await assert.rejects(update('none', {}), { code: 'ResourceNotFoundException' });
});

test('the configuration that names an authorizer as its default is found', async () => {
  const made = await create('fleet', { authorizerConfig: { defaultAuthorizerName: 'a', allowAuthorizerOverride: true } });
  const naming = (name: string) => byRegion(store)(caller.region).read((tx) => domainNaming(tx, caller, name));
  assert.equal(await naming('a'), made.domainConfigurationArn);
  assert.equal(await naming('b'), undefined);
});

/** A certificate for these names, as the operator brings one. */
async function certifyOperator(...names: string[]): Promise<string> {
  const own = await openTestAuthority(clock, names);
  return own.serverCredentials().cert[0] ?? '';
}

test("names of the operator's certificate, and names below an endpoint, are for the root of the home account alone", async () => {
  operatorCertificate = await certifyOperator('devices.example.net', '*.fleet.example');
  await start();
  const user: Caller = { ...home, arn: `arn:aws:iam::${HOME}:user/somebody`, userId: 'AIDA' };
  const names = ['devices.example.net', 'Devices.Example.NET', 'north.fleet.example', 'a.iot.example.com', 'a.b.IOT.example.com'];
  for (const domainName of [...names, 'sub.localhost'])
    for (const by of [caller, west, user])
      await assert.rejects(create('take', { domainName }, by), { code: 'InvalidRequestException' }, domainName);
  for (const domainName of ['iot.example.com', 'localhost', 'LOCALHOST'])
    await assert.rejects(create('take', { domainName }, home), { code: 'InvalidRequestException' });
  // As far as the wildcard goes, and names that only end alike.
  for (const domainName of ['fleet.example', 'a.north.fleet.example', 'notiot.example.com', 'example.net'])
    await create(`free-${domainName.length}`, { domainName });
  await create('own', { domainName: 'devices.example.net' }, home);
  assert.equal(directory.find('devices.example.net')?.rules.place.accountId, HOME);
  const change = { domainConfigurationName: 'own', authenticationType: 'AWS_X509', applicationProtocol: 'SECURE_MQTT' } as const;
  await assert.rejects(domains('us-east-1').UpdateDomainConfiguration(change, user), { code: 'InvalidRequestException' });
  await domains('us-east-1').UpdateDomainConfiguration(change, home);
});

test("stored configurations of others lose to the operator's certificate, and only their end is left to them", async () => {
  await create('theirs', { domainName: 'devices.example.net' });
  await create('free', { domainName: 'free.example.net' });
  await create('made', {});
  operatorCertificate = await certifyOperator('devices.example.net', '*.fleet.example', '*.iot.example.com');
  await start();
  assert.equal(directory.find('devices.example.net'), undefined);
  assert.equal(directory.tlsOf('devices.example.net'), undefined);
  assert.ok(directory.find('free.example.net'));
  const { domainName: made = '' } = await describe('made');
  assert.ok(directory.find(made), 'a name that the server made up stays');
  assert.deepEqual(
    told.map((line) => ({ ...line })),
    [
      {
        event: 'domain-not-served',
        accountId: caller.accountId,
        region: 'us-east-1',
        domainConfiguration: 'theirs',
        domainName: 'devices.example.net',
      },
    ],
  );
  await assert.rejects(update('theirs', { authenticationType: 'DEFAULT' }), { code: 'InvalidRequestException' });
  await assert.rejects(update('theirs', { domainConfigurationStatus: 'ENABLED' }), { code: 'InvalidRequestException' });
  assert.equal(directory.find('devices.example.net'), undefined);
  // In a region that comes after those of others.
  await create('own', { domainName: 'devices.example.net' }, { ...home, region: 'us-west-2' });
  operatorCertificate = undefined;
  await start();
  assert.equal(directory.find('devices.example.net')?.rules.place.accountId, HOME, 'the operator comes first');
  await update('theirs', { authenticationType: 'DEFAULT' });
  assert.equal(directory.find('devices.example.net')?.rules.place.accountId, HOME);
  await update('theirs', { domainConfigurationStatus: 'DISABLED' });
  await domains(caller.region).DeleteDomainConfiguration({ domainConfigurationName: 'theirs' }, caller);
  assert.equal(
    directory.find('devices.example.net')?.rules.place.accountId,
    HOME,
    'it takes nothing from the one that is served',
  );
});
