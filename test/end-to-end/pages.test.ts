/** Pages of docs/ whose blocks can be pasted: page.sh pastes them line by line, and all of it does what the page says. */
// needs: aws bubblewrap openssl mosquitto-clients curl jq
// suite: long
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { plainEnvironment, run } from './run-command.ts';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

async function paste(page: string): Promise<string> {
  const file = at(`../../docs/${page}`);
  const { code, stdout, stderr } = await run(at('page.sh'), [file], { env: plainEnvironment(), deadline: 180_000 });
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  return stdout;
}

// Each has a server of its own.
describe('the pages can be pasted', { concurrency: 2 }, () => {
  test('provisioning.md', async () => {
    const stdout = await paste('provisioning.md');
    for (const name of ['lamp-7', 'lamp-8'])
      assert.ok(stdout.includes(`{"deviceConfiguration":{"interval":"60"},"thingName":"${name}"}`), name);
    assert.match(stdout, /^provision 9 rejected\n\{"statusCode":403,"errorCode":"AccessDenied"/m);
    assert.match(stdout, /"thing": "arn:aws:iot:us-east-1:000000000000:thing\/lamp-20"/);
    assert.match(stdout, /^2\t1\t100$/m);
    assert.match(stdout, /^\{"line":3,"message":"Parameter CSR must have a value\."\}/m);
    assert.match(stdout, /provisioning .*the pre-provisioning hook did not allow the provisioning$/m);
  });

  test('streams.md', async () => {
    const stdout = await paste('streams.md');
    assert.match(stdout, /"streamArn": "arn:aws:iot:us-east-1:000000000000:stream\/lamp-v2"/);
    assert.match(stdout, /^\{"c":"1","s":1,"r":\[\{"f":0,"z":108894\}\]\}$/m);
    assert.match(stdout, /^19999\n20000$/m);
    assert.match(stdout, /^\{"o":"BlockSizeOutOfBounds","m":"The block size is out of bounds"\}$/m);
  });

  test('ota-updates.md', async () => {
    const stdout = await paste('ota-updates.md');
    assert.match(stdout, /"otaUpdateStatus": "CREATE_PENDING"/);
    assert.match(
      stdout,
      /"streamname":"AFR_OTA-[0-9a-f-]{36}","files":\[\{"filepath":"\/image.bin","filesize":108894,"fileid":0,/,
    );
    assert.match(stdout, /^20000$/m);
    assert.match(stdout, /^the same$/m);
    assert.match(stdout, /^"COMPLETED"$/m);
  });

  test('commands.md', async () => {
    const stdout = await paste('commands.md');
    const request = /^\$aws\/commands\/things\/desk-lamp\/executions\/[0-9a-f-]{36}\/request\/json (.*)$/gm;
    const sent = [...stdout.matchAll(request)].map(([, payload]) => payload);
    assert.deepEqual(sent, ['{"light":"on"}', '{"level":80}']);
    assert.match(stdout, /^\$aws\/events\/commandExecution\/dim\/CREATED \{"executionId":/m);
    assert.match(stdout, /^\{"executionId":"[0-9a-f-]{36}","clientToken":"1"\}$/m);
    assert.match(stdout, /"error":"TerminalStateReached"/);
    assert.match(stdout, /"S": "80"/);
    assert.match(stdout, /\$NO_RESPONSE_FROM_DEVICE/);
  });

  test('software-packages.md', async () => {
    const stdout = await paste('software-packages.md');
    assert.match(stdout, /"defaultVersionName": "1\.0"/);
    assert.match(stdout, /its attributes and artifact can not be changed/);
    assert.match(stdout, /^\{"state":\{"reported":\{"lamp-firmware":\{"version":"1\.0"/m);
    assert.match(stdout, /"errorCode": "INCOMPATIBLE_FORMAT"/);
    assert.match(stdout, /^"FAILED"$/m);
  });

  test('kit/ceremony.md', async () => {
    const stdout = await paste('kit/ceremony.md');
    for (const name of ['root-ca.crt', 'signer-ca.csr', 'signer-ca.crt', 'signer-ca-registration.json'])
      assert.ok(stdout.includes(`\nwrote ${name}\n`), name);
    assert.match(stdout, /^ {2}status: ACTIVE\n {2}autoRegistrationStatus: ENABLE$/m);
    assert.equal([...stdout.matchAll(/^good {2}\S+ {2}\d{4}-/gm)].length, 5);
  });

  test('kit/provisioning.md', async () => {
    const stdout = await paste('kit/provisioning.md');
    assert.match(stdout, /^done {4}1 {2}bench-lamp {2}[0-9a-f]{64}$/m);
    assert.match(stdout, /^subject=CN = bench-lamp$/m);
    assert.match(stdout, /^20 done, 0 failed, 0 left; tray\/manifest\.json$/m);
    assert.match(stdout, /^\[21,0,0\]$/m);
    assert.match(stdout, /^\{"board":"\d+","thingName":"tray-\d+","certificateId":"[0-9a-f]{8}"\}$/m);
    assert.match(stdout, /^wrote tray-microchip\.json: 21 boards, 0 not done yet$/m);
  });

  test('shadows.md', async () => {
    const stdout = await paste('shadows.md');
    assert.match(stdout, /^\{"state":\{"reported":\{"led":"off","level":1\.50\}\},.*"version":1,.*"clientToken":"first"\}/m);
    assert.match(stdout, /^\{"state":\{"desired":\{"led":"on"\}\},.*"version":2,/m);
    assert.match(stdout, /"delta":\{"led":"on"\}/);
    assert.match(stdout, /^\{"code":409,"message":"Version conflict",/m);
    assert.match(stdout, /\[\n +"settings"\n\]/);
  });

  test('fleet-index.md', async () => {
    const stdout = await paste('fleet-index.md');
    assert.match(stdout, /^search 'thingTypeName:.*\npump-4\tpump-5$/m);
    assert.match(stdout, /^search 'connectivity\.connected:false NOT .*\npump-1\tpump-4$/m);
    assert.match(stdout, /"sumOfSquares": 42\.0/);
    assert.match(stdout, /"keyValue": "Pump",\n +"count": 3/);
    assert.match(stdout, /"disconnectReason": "UNKNOWN"/);
    assert.match(stdout, /"metricName": "spread"/);
  });

  test('jobs.md', async () => {
    const stdout = await paste('jobs.md');
    assert.match(stdout, /^\{"operation":"update","version":"2\.1"\}$/m);
    assert.match(stdout, /"status":"IN_PROGRESS","statusDetails":\{"step":"download"\},.*"jobDocument":\{"operation":"update"/);
    assert.match(stdout, /AWS-Reboot/);
    assert.match(stdout, /^2\tQUEUED\n1\tFAILED$/m);
    assert.match(stdout, /^"CANCELED"$/m);
  });
});
