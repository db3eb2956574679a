/**
 * Terraform's AWS provider on the registry and on provisioning: it applies, plans without drift, changes, imports and destroys.
 */
// suite: long
import assert from 'node:assert/strict';
import { cpSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DescribeProvisioningTemplateCommand, GetRegistrationCodeCommand } from '@aws-sdk/client-iot';
import { factoryCa, signedBy } from '../../packages/server/src/testing/factory-ca.ts';
import { plainEnvironment, run } from './run-command.ts';
import { startServer, type TestServer } from './test-core.ts';

/** Folders that Terraform's providers are unpacked in, by version and platform. */
const MIRRORS = ['/opt', '/usr/share/terraform', '/usr/local/share', join(process.env.HOME ?? '/root', '.terraform.d')];
const PROVIDER = 'registry.terraform.io/hashicorp/aws/5.*/*/terraform-provider-aws_v5*';

/** The folder that mirrors Terraform's registry, where it is on this machine. */
const mirror = (): string | undefined =>
  MIRRORS.flatMap((folder) => globSync(`${folder}/**/${PROVIDER}`))[0]?.split('/registry.terraform.io/')[0];

class Terraform implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'thingkeep-terraform-'));
  readonly #env: Record<string, string>;

  constructor(server: TestServer, providers: string, configuration: string) {
    cpSync(fileURLToPath(new URL(`./terraform/${configuration}`, import.meta.url)), join(this.#folder, configuration));
    const rc = join(this.#folder, 'terraformrc');
    writeFileSync(rc, `provider_installation {\n  filesystem_mirror {\n    path = "${providers}"\n  }\n}\n`);
    this.#env = {
      ...plainEnvironment(),
      ...server.env,
      TF_CLI_CONFIG_FILE: rc,
      CHECKPOINT_DISABLE: '1',
      TF_CLI_ARGS: '-no-color',
      TF_IN_AUTOMATION: '1',
    };
  }

  /** Runs a command, which must end with this code. Gives what it prints. */
  async run(command: string, args: readonly string[] = [], expected = 0): Promise<string> {
    const { code, stdout, stderr } = await run('terraform', [`-chdir=${this.#folder}`, command, ...args], {
      env: this.#env,
      deadline: 120_000,
    });
    assert.equal(code, expected, `terraform ${command}: ${stdout}\n${stderr}`);
    return stdout;
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.#folder, file), text);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Addresses, and the ids that they are imported by. */
const IMPORTS: readonly (readonly [address: string, id: string])[] = [
  ['aws_iot_thing_type.lamp', 'lamp'],
  ['aws_iot_thing_group.root', 'lamps'],
  ['aws_iot_thing_group.middle', 'lamps-hall'],
  ['aws_iot_thing_group.leaf', 'lamps-hall-ceiling'],
  ['aws_iot_billing_group.b', 'light'],
  ['aws_iot_thing.lamp', 'lamp-1'],
  ['aws_iot_thing_group_membership.lamp', 'lamps-hall-ceiling/lamp-1'],
  ['aws_iot_event_configurations.events', 'us-east-1'],
];

test('thing types, nested groups, billing groups, memberships and event configurations', { timeout: 240_000 }, async (t) => {
  const providers = mirror();
  if (providers === undefined) return t.diagnostic("Terraform's AWS provider 5 is not on this machine");
  await using server = await startServer();
  using terraform = new Terraform(server, providers, 'registry.tf');
  await terraform.run('init');
  assert.match(await terraform.run('apply', ['-auto-approve']), /Resources: 8 added, 0 changed, 0 destroyed/);
  assert.match(await terraform.run('plan', ['-detailed-exitcode']), /No changes/);

  const other = ['-var', 'description=more lamps'];
  assert.match(await terraform.run('apply', ['-auto-approve', ...other]), /Resources: 0 added, 2 changed, 0 destroyed/);
  assert.match(await terraform.run('plan', ['-detailed-exitcode', ...other]), /No changes/);

  await terraform.run('state', ['rm', ...IMPORTS.map(([address]) => address)]);
  terraform.write('imports.tf', IMPORTS.map(([to, id]) => `import {\n  to = ${to}\n  id = "${id}"\n}\n`).join(''));
  assert.match(await terraform.run('apply', ['-auto-approve', ...other]), /8 imported, 0 added, 0 changed, 0 destroyed/);
  assert.match(await terraform.run('plan', ['-detailed-exitcode', ...other]), /No changes/);

  // A thing type can be deleted five minutes after it was deprecated: the provider would wait for that.
  await terraform.run('state', ['rm', 'aws_iot_thing_type.lamp']);
  const targets = IMPORTS.filter(([address]) => !address.includes('thing_type.')).flatMap(([address]) => ['-target', address]);
  assert.match(await terraform.run('destroy', ['-auto-approve', ...targets, ...other]), /Resources: 7 destroyed/);
});

test('a provisioning template with its role (developer guide, page provision-template)', { timeout: 240_000 }, async (t) => {
  const providers = mirror();
  if (providers === undefined) return t.diagnostic("Terraform's AWS provider 5 is not on this machine");
  await using server = await startServer();
  using terraform = new Terraform(server, providers, 'provisioning.tf');
  await terraform.run('init');
  assert.match(await terraform.run('apply', ['-auto-approve']), /Resources: 4 added, 0 changed, 0 destroyed/);
  assert.match(await terraform.run('plan', ['-detailed-exitcode']), /No changes/);

  const other = ['-var', 'status=Inactive'];
  assert.match(await terraform.run('apply', ['-auto-approve', ...other]), /Resources: 0 added, 1 changed, 0 destroyed/);
  const described = await server.iot.send(new DescribeProvisioningTemplateCommand({ templateName: 'fleet' }));
  assert.equal(described.defaultVersionId, 2);
  assert.match(await terraform.run('plan', ['-detailed-exitcode', ...other]), /No changes/);

  await terraform.run('state', ['rm', 'aws_iot_provisioning_template.fleet']);
  await terraform.run('import', [...other, 'aws_iot_provisioning_template.fleet', 'fleet']);
  assert.match(await terraform.run('plan', ['-detailed-exitcode', ...other]), /No changes/);
  // The provider deletes a template whatever versions it has, as AWS lets it.
  assert.match(await terraform.run('destroy', ['-auto-approve', ...other]), /Resources: 4 destroyed/);
});

test('CA certificates in both modes, and the indexing configuration', { timeout: 240_000 }, async (t) => {
  const providers = mirror();
  if (providers === undefined) return t.diagnostic("Terraform's AWS provider 5 is not on this machine");
  await using server = await startServer();
  using terraform = new Terraform(server, providers, 'authorities.tf');
  const now = Date.now();
  const [ca, sniOnly] = [await factoryCa('verified', { now }), await factoryCa('sni only', { now })];
  const { registrationCode = '' } = await server.iot.send(new GetRegistrationCodeCommand({}));
  const verification = await signedBy(ca, registrationCode, { key: ca.key, now });
  terraform.write('terraform.tfvars.json', JSON.stringify({ ca: ca.pem, verification, sni_only_ca: sniOnly.pem }));
  await terraform.run('init');
  assert.match(await terraform.run('apply', ['-auto-approve']), /Resources: 3 added, 0 changed, 0 destroyed/);
  assert.match(await terraform.run('plan', ['-detailed-exitcode']), /No changes/);
  const other = ['-var', 'mode=REGISTRY_AND_SHADOW'];
  assert.match(await terraform.run('apply', ['-auto-approve', ...other]), /Resources: 0 added, 2 changed, 0 destroyed/);
  assert.match(await terraform.run('plan', ['-detailed-exitcode', ...other]), /No changes/);
  await terraform.run('state', ['rm', 'aws_iot_indexing_configuration.things']);
  await terraform.run('import', [...other, 'aws_iot_indexing_configuration.things', 'us-east-1']);
  assert.match(await terraform.run('plan', ['-detailed-exitcode', ...other]), /No changes/);
  assert.match(await terraform.run('destroy', ['-auto-approve', ...other]), /Resources: 3 destroyed/);
});
