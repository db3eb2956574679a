/**
 * Data folders as earlier versions left them after a kill -9: each opens, and all that was acknowledged is there. Each
 * archive holds the folder `data`, a device's certificate and key, and `about.json`.
 */
// suite: long
// needs: mosquitto-clients
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  DescribeCertificateCommand,
  DescribeThingCommand,
  GetPolicyCommand,
  ListAttachedPoliciesCommand,
  ListPrincipalThingsCommand,
  ListThingsCommand,
  ListTopicRulesCommand,
} from '@aws-sdk/client-iot';
import { GetRetainedMessageCommand } from '@aws-sdk/client-iot-data-plane';
import { DeviceConnection } from './device-connection.ts';
import { startServer, temporaryFolder, thingkeep } from './test-core.ts';

const ARCHIVES = new URL('kept-folders/', import.meta.url).pathname;

/** When the client of each archive's session left, milliseconds since the epoch: its session ends an hour later. */
const LEFT_AT: Readonly<Record<string, number>> = {
  'form-2.tar.gz': 1795987511567,
  'form-2-rules.tar.gz': 1795987521683,
  'form-2-root-keys.tar.gz': 1795987533000,
  'form-3.tar.gz': 1795993993579,
};

/** Milliseconds to the minute after the client left, where its session is still there. */
const toItsTime = (archive: string): number => {
  const leftAt = LEFT_AT[archive];
  return leftAt === undefined ? 0 : leftAt + 60_000 - Date.now();
};

/** Node's options for a server whose wall clock is so many milliseconds ahead of this process's. */
const withClock = (ahead: number): Record<string, string> => ({
  NODE_OPTIONS: `--import=data:text/javascript,const{now}=Date;Date.now=()=>now()+(${ahead});`,
});

interface About {
  readonly version: string;
  readonly certificateArn: string;
  readonly revoked: string;
}

describe('a data folder of an earlier version', () => {
  for (const archive of readdirSync(ARCHIVES).sort())
    test(archive, async () => {
      const folder = temporaryFolder();
      try {
        execFileSync('tar', ['-xzf', join(ARCHIVES, archive), '-C', folder, '--no-same-owner']);
        const { certificateArn, revoked } = JSON.parse(readFileSync(join(folder, 'about.json'), 'utf8')) as About;
        const [certPem, keyPem] = ['lamp.crt', 'lamp.key'].map((name) => readFileSync(join(folder, name), 'utf8'));
        const dataDir = join(folder, 'data');
        {
          const ahead = toItsTime(archive);
          await using server = await startServer({ dataDir, env: withClock(ahead) });
          const { iot, iotData } = server;
          // Requests are signed by the server's clock; its Date header is of another one, and is not to be followed.
          for (const { config } of [iot, iotData])
            Object.defineProperty(config, 'systemClockOffset', { get: () => ahead, set: () => undefined });
          const { things = [] } = await iot.send(new ListThingsCommand({ thingTypeName: 'lamp' }));
          assert.deepEqual(
            things.map(({ thingName }) => thingName),
            ['lamp-1', 'lamp-2', 'lamp-3'],
          );
          const byAttribute = await iot.send(new ListThingsCommand({ attributeName: 'n', attributeValue: '2' }));
          assert.equal(byAttribute.things?.[0]?.thingName, 'lamp-2');
          const thing = await iot.send(new DescribeThingCommand({ thingName: 'lamp-1' }));
          assert.deepEqual(thing.attributes, { room: 'hall', n: '1' });
          const described = await iot.send(new DescribeCertificateCommand({ certificateId: revoked }));
          assert.equal(described.certificateDescription?.status, 'REVOKED');
          const attached = await iot.send(new ListAttachedPoliciesCommand({ target: certificateArn }));
          assert.equal(attached.policies?.[0]?.policyName, 'lamps');
          assert.match((await iot.send(new GetPolicyCommand({ policyName: 'lamps' }))).policyDocument ?? '', /forbidden/);
          const principal = await iot.send(new ListPrincipalThingsCommand({ principal: certificateArn }));
          assert.deepEqual(principal.things, ['lamp-1']);
          const retained = await iotData.send(new GetRetainedMessageCommand({ topic: 'lamps/1/state' }));
          assert.equal(Buffer.from(retained.payload ?? []).toString(), 'kept');
          if (/rules|root-keys|form-3/.test(archive))
            assert.equal((await iot.send(new ListTopicRulesCommand({}))).rules?.[0]?.ruleName, 'again');

          const login = { certPem, keyPem };
          const { device, answer } = await DeviceConnection.connect(server, 4, 'lamp-away', login, { clean: false });
          using _ = device;
          assert(answer.cmd === 'connack' && answer.returnCode === 0);
          // Sessions outlive the process from the second form on.
          if (!archive.startsWith('form-1')) {
            assert.equal(answer.sessionPresent, true);
            for (const text of ['order 1', 'order 2']) {
              const seen = await device.next();
              assert(seen.cmd === 'publish');
              assert.equal(seen.payload.toString(), text);
            }
          }
          device.publish('forbidden/x', 'x', { qos: 1 });
          assert.equal((await device.next()).cmd, 'closed');
        }
        // Once brought to today's form it is a folder like any other.
        const checked = await thingkeep(['check', '--data-dir', dataDir]);
        assert.deepEqual([checked.code, checked.stderr], [0, ''], checked.stdout);
        await using again = await startServer({ dataDir });
        assert.equal((await again.iot.send(new ListThingsCommand({}))).things?.length, 3);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
});
