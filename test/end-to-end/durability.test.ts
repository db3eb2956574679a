/**
 * Every acknowledged write is there after `kill -9`: the server is killed at random moments under API writes, started
 * again on its folder, and asked for all that it had said yes to. A revoked certificate stays refused.
 */
// suite: long
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateThingCommand,
  DescribeCertificateCommand,
  DescribeThingCommand,
  GetPolicyCommand,
  ListAttachedPoliciesCommand,
  ListThingPrincipalsCommand,
  UpdateCertificateCommand,
} from '@aws-sdk/client-iot';
import { DeviceConnection } from './device-connection.ts';
import { ALLOW_ALL, type Device, makeDevice, makePolicy, policyDocument } from './devices.ts';
import { startServer, temporaryFolder, type TestServer } from './test-core.ts';

const KILLS = 20;
/** Writers side by side: commits hold several writes. */
const WRITERS = 4;

const folder = temporaryFolder();
after(() => rmSync(folder, { recursive: true, force: true }));

/** How to see that a write has stayed. */
interface Acknowledged {
  readonly what: string;
  readonly stillThere: (server: TestServer) => Promise<boolean>;
}

const document = policyDocument(ALLOW_ALL);
let serial = 0;

/** Makes a small family of records; each is noted the moment that its answer is here. Ends when the server does. */
async function write(server: TestServer, note: (acknowledged: Acknowledged) => void): Promise<void> {
  const { iot } = server;
  for (;;) {
    serial += 1;
    const mark = String(serial);
    const name = `d${mark}`;
    await iot.send(new CreateThingCommand({ thingName: name, attributePayload: { attributes: { serial: mark } } }));
    note({
      what: `thing ${name}`,
      stillThere: async (now) => (await now.iot.send(new DescribeThingCommand({ thingName: name }))).attributes?.serial === mark,
    });
    await iot.send(new CreatePolicyCommand({ policyName: name, policyDocument: document }));
    note({
      what: `policy ${name}`,
      stillThere: async (now) => (await now.iot.send(new GetPolicyCommand({ policyName: name }))).policyDocument === document,
    });
    await iot.send(new CreatePolicyVersionCommand({ policyName: name, policyDocument: document, setAsDefault: true }));
    note({
      what: `default version 2 of policy ${name}`,
      stillThere: async (now) => (await now.iot.send(new GetPolicyCommand({ policyName: name }))).defaultVersionId === '2',
    });
    const { certificateId, certificateArn } = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
    note({
      what: `certificate ${certificateId}`,
      stillThere: async (now) =>
        (await now.iot.send(new DescribeCertificateCommand({ certificateId }))).certificateDescription?.certificateArn ===
        certificateArn,
    });
    await iot.send(new AttachPolicyCommand({ policyName: name, target: certificateArn }));
    note({
      what: `policy ${name} on its certificate`,
      stillThere: async (now) =>
        (await now.iot.send(new ListAttachedPoliciesCommand({ target: certificateArn }))).policies?.[0]?.policyName === name,
    });
    await iot.send(new AttachThingPrincipalCommand({ thingName: name, principal: certificateArn }));
    note({
      what: `principal of thing ${name}`,
      stillThere: async (now) =>
        (await now.iot.send(new ListThingPrincipalsCommand({ thingName: name }))).principals?.[0] === certificateArn,
    });
    await iot.send(new UpdateCertificateCommand({ certificateId, newStatus: 'REVOKED' }));
    note({
      what: `revocation of ${certificateId}`,
      stillThere: async (now) =>
        (await now.iot.send(new DescribeCertificateCommand({ certificateId }))).certificateDescription?.status === 'REVOKED',
    });
  }
}

async function missing(server: TestServer, acknowledged: readonly Acknowledged[]): Promise<string[]> {
  const lost: string[] = [];
  for (const { what, stillThere } of acknowledged) {
    const there = await stillThere(server).catch((error: unknown) => {
      if ((error as { name?: string }).name === 'ResourceNotFoundException') return false;
      throw error;
    });
    if (!there) lost.push(what);
  }
  return lost;
}

const isRefused = async (server: TestServer, device: Device): Promise<boolean> => {
  const { device: connection, answer } = await DeviceConnection.connect(server, 4, 'revoked', device);
  connection[Symbol.dispose]();
  return answer.cmd === 'closed';
};

test(`${KILLS} kills under writes lose nothing that was acknowledged`, async (t) => {
  let server = await startServer({ dataDir: folder });
  t.after(() => server.signal('SIGKILL'));
  await makePolicy(server, 'all', ALLOW_ALL);
  const good = await makeDevice(server, 'good', 'all');
  const revoked = await makeDevice(server, 'revoked', 'all');
  await server.iot.send(new UpdateCertificateCommand({ certificateId: revoked.certificateId, newStatus: 'REVOKED' }));
  let seen = 0;
  for (let round = 0; round < KILLS; round += 1) {
    const acknowledged: Acknowledged[] = [];
    const writers = Array.from({ length: WRITERS }, () => write(server, (one) => acknowledged.push(one)));
    const settled = Promise.allSettled(writers);
    await setTimeout(randomInt(20, 250));
    await server.signal('SIGKILL');
    for (const outcome of await settled) assert.equal(outcome.status, 'rejected', 'writers end with the server only');
    await server.stop();
    server = await startServer({ dataDir: folder });
    assert.deepEqual(await missing(server, acknowledged), [], `round ${round}`);
    assert.equal(await isRefused(server, revoked), true);
    seen += acknowledged.length;
  }
  using connection = await DeviceConnection.admitted(server, 4, 'good', good);
  assert.ok(await connection.nothingCame());
  t.diagnostic(`${seen} acknowledged writes looked up after ${KILLS} kills`);
  assert.ok(seen > KILLS);
  connection[Symbol.dispose]();
  assert.equal(await server.stop(), 0);
});
