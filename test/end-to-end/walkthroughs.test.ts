/** The walkthroughs: each run.sh pastes its README into a shell, line by line, and all of it does what the README says. */
// suite: long
// needs: aws boto3 bubblewrap openssl mosquitto-clients system-boto3
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Outcome, plainEnvironment, run } from './run-command.ts';

const FOLDER = fileURLToPath(new URL('../../walkthroughs', import.meta.url));
const names = readdirSync(FOLDER, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));

const read = (name: string, file: string): string => readFileSync(join(FOLDER, name, file), 'utf8');

/** Blocks that are pasted, with the word behind `sh`: none, `fails`, or the way that the block belongs to. */
const blocksOf = (readme: string): { way: string; block: string }[] =>
  [...readme.matchAll(/^```sh ?(\w*)\n(.*?)^```$/gms)].map(([, way = '', block = '']) => ({ way, block }));

/** Runs a walkthrough, and sees that each line of its README was pasted, but for those of the way that was not taken. */
async function runs(name: string, more: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const kept = { ...plainEnvironment(), ...more };
  const outcome = await run(join(FOLDER, name, 'run.sh'), [], { env: kept, deadline: 180_000 });
  assert.equal(outcome.code, 0, `${outcome.stdout}\n${outcome.stderr}`);
  const without = outcome.stdout.includes('terraform init') ? 'aws' : 'terraform';
  const blocks = blocksOf(read(name, 'README.md')).filter(({ way }) => way !== without);
  assert.ok(blocks.length > 3);
  for (const { block } of blocks) assert.ok(outcome.stdout.includes(block.split('\n')[0] ?? ''), `not pasted:\n${block}`);
  return outcome;
}

test('there are walkthroughs, each with a README and a run.sh', () => {
  assert.ok(names.includes('gopigo') && names.includes('first-thing'));
  for (const name of names)
    for (const file of ['README.md', 'run.sh']) assert.ok(existsSync(join(FOLDER, name, file)), `${name}/${file}`);
});

// Each has a server of its own.
describe('the walkthroughs run', { concurrency: 2 }, () => {
  test('rule-and-function', async () => {
    const { stdout } = await runs('rule-and-function');
    assert.match(stdout, /^# What the function did\n(?:.*\n)*?95\n(?:.*\n)*?Unhandled\n(?:.*\n)*?AccessDeniedException$/m);
    assert.match(stdout, /policy .*assumed-role\/notify\/notify is not authorized to perform: iot:UpdateThing .*thing\/oven-1/);
    assert.match(stdout, /policy .*user\/dashboard is not authorized to perform: iot:DeleteTopicRule/);
  });

  test('first-thing', async () => {
    const { stdout } = await runs('first-thing');
    assert.match(stdout, /^subject=C = us, ST = Pennsylvania, L = Fort Washington, O = Chariot Solutions, CN = RIMPLEDEVICE$/m);
    assert.match(stdout, /policy .*client RIMPLEDEVICE .*iot:Publish on things\/OTHERDEVICE\/environment is not allowed/);
    assert.match(stdout, /policy .*client OTHERDEVICE .*iot:Connect as OTHERDEVICE is not allowed/);
    assert.match(stdout, /policy .*client RIMPLEDEVICE .*iot:Subscribe to things\/# is not allowed/);
    assert.match(stdout, /^IMPLICIT_DENY$/m);
  });

  test('zero-touch (tutorials 3.2, 3.5, 3.6)', async () => {
    const { stdout } = await runs('zero-touch');
    assert.match(stdout, /^ID:[0-9a-f]{64}$/m);
    assert.match(stdout, /^ACTIVE\tENABLE\tDEFAULT$/m);
    assert.match(stdout, /^notAfter=Dec 31 23:59:59 3000 GMT$/m);
    assert.match(
      stdout,
      /^no connection: .*\n.*is the certificate registered and ACTIVE.*\n(?:no connection.*\n.*\n)*connected\n(?:.*\n)+ACTIVE$/m,
    );
    assert.equal([...stdout.matchAll(/^good {2}\S+ {2}\d{4}-/gm)].length, 5);
    assert.match(stdout, /^good {5}connect {5}connected, and disconnected again$/m);
    assert.match(stdout, /^\{"button1":"down"\}$/m);
    assert.equal(stdout.includes('wifi-secret\n'), false);
    assert.match(stdout, /^(?<name>[0-9a-f]{40})\tmicrochip-zero-touch-kit\n(?:.*\n)+\k<name> may connect$/m);
    assert.match(stdout, /certificate-not-active .*just-in-time registration has registered it/);
    assert.match(stdout, /policy .*iot:Publish on someone-else\/buttons is not allowed/);
    assert.match(stdout, /^button1 up {2}button2 up {2}button3 up {2}led1 on {2}led2 off {2}led3 on$/m);
  });

  test('just-in-time-provisioning (fact 4.5)', async () => {
    const { stdout } = await runs('just-in-time-provisioning');
    const lost = String.raw`bulb -t bulbs/bulb-7 -m on\nError: The connection was lost\.\n`;
    assert.match(stdout, new RegExp(`^${lost}(?:.*\\n)+bulb -t bulbs/bulb-7 -m on -d\\n(?:.*\\n)+.*received PUBACK`, 'm'));
    for (const line of ['Example\t4711', 'ACTIVE', 'bulbs']) assert.ok(stdout.split('\n').includes(line), line);
    assert.match(stdout, /certificate-not-active .*the template of the CA has provisioned it/);
    assert.match(stdout, /policy .*iot:Publish on bulbs\/bulb-8 is not allowed/);
  });

  test('trust-m (tutorial 1)', async () => {
    const { stdout } = await runs('trust-m');
    assert.match(stdout, /^subject=CN = TrustM_Client1$/m);
    assert.match(stdout, /verify OK/);
    assert.match(stdout, /^thingkit: 0xF1D3 holds no public key of 0xE0F3$/m);
    assert.match(stdout, /^Certificate successfully written $/m);
    assert.match(stdout, /^the key is in the chip$/m);
    assert.match(stdout, /^600 chip\.json$/m);
    assert.match(stdout, /^hello from SDK$/m);
    assert.match(stdout, /^good {5}connect {5}connected, and disconnected again$/m);
    assert.match(stdout, /^\{"state":\{"reported":\{"temperature":21\.5,"windowOpen":false\}\}/m);
    assert.match(stdout, /policy .*iot:Publish on somebody\/else is not allowed/);
  });

  test('trust-x (tutorial 5)', async () => {
    const { stdout } = await runs('trust-x');
    assert.match(stdout, /^subject=CN = AWS IoT Certificate, O = Example Inc, C = DE, ST = Bavaria$/m);
    assert.match(stdout, /X509v3 Key Usage: *\n *Digital Signature$/m);
    assert.match(stdout, /^Certificate successfully written $/m);
    assert.match(stdout, /^the key is in the chip$/m);
    assert.match(stdout, /^hello from a Trust X$/m);
    assert.match(stdout, /^\{"state":\{"reported":\{"led":"off"\}\}/m);
    assert.match(stdout, /policy .*iot:Publish on somebody\/else is not allowed/);
  });

  test('arduino-eccx08 (tutorial 4)', async () => {
    const { stdout } = await runs('arduino-eccx08');
    assert.match(stdout, /^[A-Za-z0-9+/]{76}$/m);
    assert.match(stdout, /^subject=C = us, ST = Pennsylvania, L = Fort Washington, O = Chariot Solutions, CN = RIMPLEDEVICE$/m);
    assert.match(stdout, /^things\/RIMPLEDEVICE\/environment \{"temperature":-?[\d.]+,/m);
    assert.match(stdout, /policy .*iot:Publish on things\/another\/environment is not allowed/);
    assert.match(stdout, /^\{"state":\{"reported":\{"fan":"off"\}\}/m);
  });

  test('gopigo, with Terraform where it is', async (t) => {
    const { stdout } = await runs('gopigo');
    assert.match(stdout, /Verify return code: 0 \(ok\)/);
    assert.match(stdout, /certificate-not-active .*client gopigo/);
    assert.match(stdout, /certificate-unknown .*client gopigo/);
    const why = /^(?:terraform|Terraform).* is not on this machine: .*$/m.exec(stdout)?.[0];
    if (why !== undefined) return t.diagnostic(why);
    assert.match(stdout, /Apply complete! Resources: 5 added, 0 changed, 0 destroyed\./);
    assert.match(stdout, /No changes\. Your infrastructure matches the configuration\./);
    assert.match(stdout, /Destroy complete! Resources: 5 destroyed\./);
  });

  test('gopigo, with the aws command alone', async () => {
    const { stdout } = await runs('gopigo', { WITHOUT_TERRAFORM: '1' });
    assert.doesNotMatch(stdout, /Apply complete/);
    assert.match(stdout, /certificate-unknown .*client gopigo/);
  });
});
