/**
 * A device's certificate is renewed without a gap, as docs/operate/certificates.md says: the new one is attached and ACTIVE
 * before the old one is detached. Its persistent session goes on, and no message of QoS 1 is lost.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateCertificateFromCsrCommand,
  CreateThingCommand,
  DeleteCertificateCommand,
  DetachPolicyCommand,
  DetachThingPrincipalCommand,
  ListAttachedPoliciesCommand,
  ListThingPrincipalsCommand,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import { csrDer, csrPem, newEcKey } from '@thingkeep/x509/testing/csrs.ts';
import mqtt from 'mqtt';
import { ALLOW_ALL, arn, type Device, makeDevice, makePolicy } from './devices.ts';
import { makeTemplate, provisionTopic } from './provisioning.ts';
import { startServer, type TestServer } from './test-core.ts';
import { until } from './until.ts';

type Pair = Pick<Device, 'certPem' | 'keyPem'>;

let server: TestServer;
before(async () => {
  server = await startServer({ args: ['--log-level', 'warn'] });
  await makePolicy(server, 'lamps', ALLOW_ALL);
});
after(() => server[Symbol.asyncDispose]());

/** A device with a persistent session that notes the numbers it gets. */
class Lamp {
  readonly clientId: string;
  readonly numbers: number[] = [];
  client: mqtt.MqttClient | undefined;
  sessionPresent = false;

  constructor(clientId: string) {
    this.clientId = clientId;
  }

  async connect({ certPem: cert, keyPem: key }: Pair): Promise<mqtt.MqttClient> {
    const { clientId } = this;
    const device = { protocol: 'mqtts', host: 'localhost', port: server.ports.mqtt, ca: readFileSync(server.rootCa) } as const;
    const client = mqtt.connect({ ...device, cert, key, clientId, clean: false, reconnectPeriod: 0 });
    // What waits in the session comes right behind the CONNACK.
    client.on('message', (topic, payload) => {
      if (topic.startsWith('orders/')) this.numbers.push(Number(payload.toString()));
    });
    this.client = client;
    await new Promise<void>((resolve, reject) => {
      client.once('error', reject);
      client.once('close', () => reject(new Error('closed')));
      client.once('connect', ({ sessionPresent }) => {
        this.sessionPresent = sessionPresent;
        resolve();
      });
    });
    return client;
  }

  /** Publishes on a topic of fleet provisioning and gives the answer. */
  async ask(topic: string, body: object): Promise<Record<string, string>> {
    const { client } = this;
    assert(client !== undefined);
    const answer = new Promise<Record<string, string>>((resolve, reject) => {
      const take = (on: string, payload: Buffer): void => {
        if (!on.startsWith(`${topic}/`)) return;
        client.off('message', take);
        if (on === `${topic}/accepted`) resolve(JSON.parse(payload.toString()) as Record<string, string>);
        else reject(new Error(payload.toString()));
      };
      client.on('message', take);
    });
    await client.publishAsync(topic, JSON.stringify(body), { qos: 1 });
    return answer;
  }
}

/** Sends numbers to a device, one after another, until it is stopped; gives how many there were. */
function sendOrders(client: mqtt.MqttClient, topic: string): { count(): number; stop(): Promise<number> } {
  let sent = 0;
  let goesOn = true;
  const work = (async () => {
    while (goesOn) {
      await client.publishAsync(topic, String(sent + 1), { qos: 1 });
      sent += 1;
    }
  })();
  const stop = async (): Promise<number> => {
    goesOn = false;
    await work;
    return sent;
  };
  return { count: () => sent, stop };
}

/** Renews by `renew` while orders come; the device has each of them, and the old certificate is gone. */
async function renewsWithoutGap(clientId: string, renew: (lamp: Lamp, thingName: string) => Promise<Pair>): Promise<void> {
  const old = await makeDevice(server, clientId, 'lamps');
  const sender = await makeDevice(server, `sender-of-${clientId}`, 'lamps');
  await server.iot.send(new CreateThingCommand({ thingName: clientId }));
  await server.iot.send(new AttachThingPrincipalCommand({ thingName: clientId, principal: old.certificateArn }));
  const lamp = new Lamp(clientId);
  const first = await lamp.connect(old);
  await first.subscribeAsync(`orders/${clientId}`, { qos: 1 });
  const sending = new Lamp(`sender-of-${clientId}`);
  const orders = sendOrders(await sending.connect(sender), `orders/${clientId}`);
  await until('orders before', () => lamp.numbers.length > 20 || undefined);

  const fresh = await renew(lamp, clientId);
  // The old certificate still counts: what fails until here leaves the device as it was.
  await first.endAsync();
  const away = orders.count();
  await until('orders meanwhile', () => orders.count() > away + 20 || undefined);
  const second = await lamp.connect(fresh);
  assert.equal(lamp.sessionPresent, true, 'the session is the client id’s, not the certificate’s');
  // The device is there with the new certificate: now the old one goes.
  await server.iot.send(new DetachThingPrincipalCommand({ thingName: clientId, principal: old.certificateArn }));
  await server.iot.send(new DetachPolicyCommand({ policyName: 'lamps', target: old.certificateArn }));
  const { certificateId } = old;
  await server.iot.send(new UpdateCertificateCommand({ certificateId, newStatus: 'INACTIVE' }));
  await server.iot.send(new DeleteCertificateCommand({ certificateId }));
  const since = lamp.numbers.length;
  await until('orders after', () => lamp.numbers.length > since + 20 || undefined);

  const sent = await orders.stop();
  await until('the last order', () => lamp.numbers.includes(sent) || undefined);
  const expected = Array.from({ length: sent }, (_, i) => i + 1);
  assert.deepEqual(
    [...new Set(lamp.numbers)].sort((a, b) => a - b),
    expected,
  );
  await assert.rejects(new Lamp(clientId).connect(old), /Not authorized|closed|ended|reset/i);
  assert.ok(second.connected, 'the old certificate disturbs nobody');
  await second.endAsync();
  await sending.client?.endAsync();
}

test('by the API: a certificate of a signing request, attached and ACTIVE before the old one is detached', () =>
  renewsWithoutGap('api-lamp', async (_, thingName) => {
    const key = newEcKey();
    const made = await server.iot.send(
      new CreateCertificateFromCsrCommand({ certificateSigningRequest: csrPem(csrDer({ key })), setAsActive: true }),
    );
    const { certificateArn: principal = '', certificatePem = '' } = made;
    await server.iot.send(new AttachPolicyCommand({ policyName: 'lamps', target: principal }));
    await server.iot.send(new AttachThingPrincipalCommand({ thingName, principal }));
    return { certPem: certificatePem, keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
  }));

test('over MQTT: the device asks with its old certificate for one of a new key, by fleet provisioning’s topics', async () => {
  const body = {
    Parameters: { ThingName: { Type: 'String' } },
    Resources: {
      thing: { Type: 'AWS::IoT::Thing', Properties: { ThingName: { Ref: 'ThingName' } } },
      certificate: {
        Type: 'AWS::IoT::Certificate',
        Properties: { CertificateId: { Ref: 'AWS::IoT::Certificate::Id' }, Status: 'Active' },
      },
      policy: { Type: 'AWS::IoT::Policy', Properties: { PolicyName: 'lamps' } },
    },
  };
  await makeTemplate(server, 'renewal', { body });
  await renewsWithoutGap('mqtt-lamp', async (lamp, thingName) => {
    const key = newEcKey();
    const request = { certificateSigningRequest: csrPem(csrDer({ key })) };
    const made = await lamp.ask('$aws/certificates/create-from-csr/json', request);
    const { certificateId, certificatePem = '', certificateOwnershipToken } = made;
    const parameters = { ThingName: thingName };
    const done = await lamp.ask(provisionTopic('renewal'), { certificateOwnershipToken, parameters });
    assert.equal(done.thingName, thingName);
    const principal = arn(`cert/${certificateId}`);
    const { principals = [] } = await server.iot.send(new ListThingPrincipalsCommand({ thingName }));
    assert.equal(principals.length, 2);
    assert.ok(principals.includes(principal));
    const { policies } = await server.iot.send(new ListAttachedPoliciesCommand({ target: principal }));
    assert.equal(policies?.length, 1);
    return { certPem: certificatePem, keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
  });
});
