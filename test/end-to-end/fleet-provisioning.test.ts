/**
 * Fleet provisioning by claim over MQTT (fact sheet 4.7 and 25; developer guide, pages provision-wo-cert and
 * fleet-provision-api).
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  CreateProvisioningClaimCommand,
  DescribeCertificateCommand,
  DescribeThingCommand,
  ListThingPrincipalsCommand,
} from '@aws-sdk/client-iot';
import { csrDer, csrPem, newEcKey } from '@thingkeep/x509/testing/csrs.ts';
import { decode, encode } from 'cbor2';
import mqtt from 'mqtt';
import { arn, type Device } from './devices.ts';
import { HttpFunction } from './http-function.ts';
import { CREATE, connectDevice, makeClaim, makeTemplate, provisionTopic } from './provisioning.ts';
import { plainEnvironment, succeed } from './run-command.ts';
import { startServer, type TestServer, thingkeep } from './test-core.ts';

describe('fleet provisioning by claim', () => {
  let server: TestServer;
  let claim: Device;
  const PROVISION = provisionTopic('lamps');

  before(async () => {
    server = await startServer({ args: ['--log-level', 'warn'] });
    await makeTemplate(server, 'lamps');
    claim = await makeClaim(server, 'lamps');
  });
  after(() => server[Symbol.asyncDispose]());

  const reasons = async (clientId: string): Promise<string> => {
    const { stdout } = await thingkeep(['refusals', '--json', '--client-id', clientId, '--data-dir', server.dataDir], server.env);
    return stdout;
  };

  test('a device gets keys and certificate, is made a thing by the template, and connects with what it got (4.7)', async () => {
    await using asking = await connectDevice(server, 'new-device', claim);
    const { outcome, body: made } = await asking.ask(CREATE);
    assert.equal(outcome, 'accepted', JSON.stringify(made));
    assert.deepEqual(Object.keys(made).sort(), ['certificateId', 'certificateOwnershipToken', 'certificatePem', 'privateKey']);
    const certificateId = String(made.certificateId);
    const status = async () =>
      (await server.iot.send(new DescribeCertificateCommand({ certificateId }))).certificateDescription?.status;
    assert.equal(await status(), 'PENDING_ACTIVATION');
    const { certificateOwnershipToken } = made;
    assert.deepEqual(await asking.ask(PROVISION, { certificateOwnershipToken, parameters: { SerialNumber: '7' } }), {
      outcome: 'accepted',
      body: { deviceConfiguration: { url: 'https://example.com/7' }, thingName: 'lamp-7' },
    });
    assert.equal(await status(), 'ACTIVE');
    assert.deepEqual((await server.iot.send(new DescribeThingCommand({ thingName: 'lamp-7' }))).attributes, { serial: '7' });
    const { principals } = await server.iot.send(new ListThingPrincipalsCommand({ thingName: 'lamp-7' }));
    assert.deepEqual(principals, [arn(`cert/${certificateId}`)]);
    const own = { certPem: String(made.certificatePem), keyPem: String(made.privateKey) };
    await using device = await connectDevice(server, 'lamp-7', own);
    await device.client.publishAsync('lamps/7', 'on', { qos: 1 });
    const again = await asking.ask(PROVISION, { certificateOwnershipToken, parameters: { SerialNumber: '8' } });
    assert.equal(again.body.errorCode, 'InvalidCertificateOwnershipToken');
    assert.match(
      await reasons('new-device'),
      /\$aws\/provisioning-templates\/lamps\/provision\/json: Certificate ownership token is invalid/,
    );
  });

  test('devices that share a claim see nothing of each other: no keys, no tokens, no parameters', async () => {
    await using thief = await connectDevice(server, 'thief', claim, 5);
    const seen: string[] = [];
    thief.client.on('message', (topic) => seen.push(topic));
    const filters = [
      '$aws/certificates/create/#',
      '$aws/certificates/create-from-csr/#',
      '$aws/provisioning-templates/lamps/provision/#',
    ];
    for (const filter of filters) await thief.client.subscribeAsync(filter, { qos: 1 });
    await using honest = await connectDevice(server, 'honest', claim);
    const { body } = await honest.ask(CREATE);
    const { certificateOwnershipToken } = body;
    await honest.ask(PROVISION, { certificateOwnershipToken, parameters: { SerialNumber: 'secret' } });
    // What comes of the thief's own request comes behind all that came before.
    await thief.ask(PROVISION, {});
    assert.deepEqual(seen, [`${PROVISION}/rejected`]);
  });

  test('the hook at a URL decides, and sets parameters', async () => {
    await using hook = await HttpFunction.open(({ event }) => {
      const { parameters } = event as unknown as { parameters: { SerialNumber: string } };
      const { SerialNumber } = parameters;
      return { allowProvisioning: SerialNumber !== 'bad', parameterOverrides: { SerialNumber: `checked-${SerialNumber}` } };
    });
    await makeTemplate(server, 'hooked', { hook: hook.url });
    await using asking = await connectDevice(server, 'hooked-device', await makeClaim(server, 'hooked'));
    const ask = async (SerialNumber: string) => {
      const { certificateOwnershipToken } = (await asking.ask(CREATE)).body;
      return asking.ask(provisionTopic('hooked'), { certificateOwnershipToken, parameters: { SerialNumber } });
    };
    assert.deepEqual((await ask('bad')).body, { statusCode: 403, errorCode: 'AccessDenied', errorMessage: 'Access denied.' });
    assert.equal((await ask('good')).body.thingName, 'lamp-checked-good');
    assert.match(await reasons('hooked-device'), /the pre-provisioning hook did not allow the provisioning/);
  });

  test('a temporary claim provisions by its template, and is refused everything else with the reason (24.1)', async () => {
    const made = await server.iot.send(new CreateProvisioningClaimCommand({ templateName: 'lamps' }));
    const temporary = { certPem: made.certificatePem ?? '', keyPem: made.keyPair?.PrivateKey ?? '' };
    await using asking = await connectDevice(server, 'temporary', temporary);
    const { certificateOwnershipToken } = (await asking.ask(CREATE)).body;
    const done = await asking.ask(PROVISION, { certificateOwnershipToken, parameters: { SerialNumber: 'temporary' } });
    assert.equal(done.body.thingName, 'lamp-temporary');
    const closed = new Promise<void>((resolve) => asking.client.once('close', () => resolve()));
    asking.client.publish('lamps/other', 'x', { qos: 1 });
    await closed;
    assert.match(await reasons('temporary'), /lamps\/other.*provisioning claim of template lamps/);
    await using busy = await connectDevice(server, 'busy', claim);
    await assert.rejects(connectDevice(server, 'busy', temporary, 5), { code: 135 });
    await busy.ask(CREATE);
    assert.match(await reasons('busy'), /takes no client id that another principal is connected with/);
  });

  test('the same in CBOR, with the indefinite maps that small encoders write', async () => {
    await using asking = await connectDevice(server, 'small', claim, 5);
    const ask = async (topic: string, payload: Buffer): Promise<readonly [topic: string, body: Record<string, unknown>]> => {
      const answer = new Promise<readonly [string, Buffer]>((resolve) =>
        asking.client.once('message', (on, bytes) => resolve([on.slice(topic.length + 1), bytes])),
      );
      await asking.client.publishAsync(topic, payload, { qos: 1 });
      const [outcome, bytes] = await answer;
      return [outcome, decode(bytes)];
    };
    /** A map without a count, closed by a break. */
    const indefinite = (members: object): Buffer =>
      Buffer.concat([
        Buffer.of(0xbf),
        ...Object.entries(members).flatMap((pair) => pair.map((each) => encode(each))),
        Buffer.of(0xff),
      ]);
    const [made, { certificateOwnershipToken }] = await ask('$aws/certificates/create/cbor', indefinite({}));
    const request = indefinite({ certificateOwnershipToken, parameters: { SerialNumber: 'cbor' } });
    const topic = PROVISION.replace('json', 'cbor');
    assert.deepEqual(
      [made, await ask(topic, request)],
      ['accepted', ['accepted', { deviceConfiguration: { url: 'https://example.com/cbor' }, thingName: 'lamp-cbor' }]],
    );
    const [outcome, { statusCode, errorCode }] = await ask(topic, request);
    assert.deepEqual([outcome, statusCode, errorCode], ['rejected', 400, 'InvalidCertificateOwnershipToken']);
  });

  test("the device SDK's identity client gets certificates and things, by keys and by request, three times in a row", async () => {
    const key = newEcKey();
    const csr = join(server.dataDir, 'device.csr');
    writeFileSync(csr, csrPem(csrDer({ key })));
    for (const generation of ['1', '2', '5']) {
      const script = new URL('./sdk-identity.ts', import.meta.url).pathname;
      const args = [script, generation, String(server.ports.mqtt), server.rootCa, claim.cert, claim.key, 'lamps', csr];
      const printed = await succeed(process.execPath, args, { env: plainEnvironment() });
      const rounds = printed
        .trim()
        .split('\n')
        .map(
          (line) =>
            JSON.parse(line) as {
              readonly how: string;
              readonly made: { readonly certificatePem: string; readonly privateKey?: string };
              readonly registered: object;
            },
        );
      assert.deepEqual(
        rounds.map(({ registered }) => registered),
        ['keys', 'request'].flatMap((how) =>
          [1, 2, 3].map((round) => ({
            deviceConfiguration: { url: `https://example.com/${generation}-${how}-${round}` },
            thingName: `lamp-${generation}-${how}-${round}`,
          })),
        ),
      );
      const { made } = rounds.at(-1) ?? assert.fail();
      const keyPem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
      await using device = await connectDevice(server, `sdk-${generation}`, { certPem: made.certificatePem, keyPem });
      assert.ok(device.client instanceof mqtt.MqttClient);
    }
  });
});
