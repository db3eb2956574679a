/**
 * Managed job templates (developer guide, page job-templates-managed): names, ARNs, parameters and documents as AWS has them, the
 * descriptions in words of our own. They are what AWS's device client does.
 */
import { fail } from '@thingkeep/wire/errors.ts';

export interface DocumentParameter {
  readonly key: string;
  readonly description: string;
  readonly regex: string;
  readonly example: string;
  readonly optional: boolean;
}

export interface ManagedTemplate {
  readonly templateName: string;
  readonly templateArn: string;
  readonly description: string;
  readonly environments: readonly string[];
  readonly templateVersion: string;
  readonly documentParameters: readonly DocumentParameter[];
  readonly document: string;
}

const VERSION = '1.0';
const PATH = '^[^\\r\\n]{1,1024}$';
const LIST = '^[a-zA-Z0-9_+.:@=,~-]{1,1024}$';

const parameter = (key: string, description: string, regex: string, example: string, optional: boolean): DocumentParameter => ({
  ...{ key, description, regex, example, optional },
});

const COMMON = [
  parameter(
    'runAsUser',
    'The user that runs the handler; the user of the device client where it is not given',
    '^[^\\r\\n]{0,256}$',
    'user1',
    true,
  ),
  parameter('pathToHandler', 'The folder of the handler on the device', PATH, '/home/user1/handlers', true),
];
const PACKAGES = parameter(
  'packages',
  'Names of packages, parted by blanks or commas',
  '^[a-zA-Z0-9_+.:@=,~ -]{1,1024}$',
  'nginx vim',
  false,
);
const SERVICES = parameter('services', 'Names of services, parted by commas', LIST, 'nginx,ssh', false);

const placeholder = (key: string): string => `\${aws:iot:parameter:${key}}`;

/** The document of a template that runs a handler with these parameters. */
function handlerDocument(name: string, handler: string, parameters: readonly DocumentParameter[]): string {
  const args = parameters.length === 0 ? {} : { args: parameters.map(({ key }) => placeholder(key)) };
  const input = { handler, ...args, path: placeholder('pathToHandler') };
  const action = { name, type: 'runHandler', input, runAsUser: placeholder('runAsUser') };
  return JSON.stringify({ version: VERSION, steps: [{ action }] });
}

interface Fact {
  readonly name: string;
  readonly description: string;
  readonly parameters: readonly DocumentParameter[];
  readonly document: string;
}

const handled = (suffix: string, handler: string, description: string, ...parameters: readonly DocumentParameter[]): Fact => ({
  name: `AWS-${suffix}`,
  description,
  parameters: [...parameters, ...COMMON],
  document: handlerDocument(suffix, handler, parameters),
});

const COMMAND = parameter('command', 'The command and its arguments, parted by commas', '^[^\\r\\n]{1,1024}$', 'ls,-l', false);

const FACTS: readonly Fact[] = [
  handled(
    'Download-File',
    'download-file.sh',
    'Downloads a file to the device.',
    parameter('downloadUrl', 'Where the file is', '^https?://[^\\s]{1,2000}$', 'https://example.com/file', false),
    parameter('filePath', 'Where the device puts it', PATH, '/home/user1/file', false),
  ),
  handled('Install-Application', 'install-packages.sh', 'Installs packages on the device.', PACKAGES),
  handled('Reboot', 'reboot.sh', 'Restarts the device.'),
  handled('Remove-Application', 'remove-packages.sh', 'Removes packages from the device.', PACKAGES),
  handled('Restart-Application', 'restart-services.sh', 'Stops and starts services of the device.', SERVICES),
  {
    name: 'AWS-Run-Command',
    description: 'Runs a command on the device.',
    parameters: [COMMAND, ...COMMON.slice(0, 1)],
    document: JSON.stringify({
      version: VERSION,
      steps: [
        {
          action: {
            name: 'Run-Command',
            type: 'runCommand',
            input: { command: placeholder('command') },
            runAsUser: placeholder('runAsUser'),
          },
        },
      ],
    }),
  },
  handled('Start-Application', 'start-services.sh', 'Starts services of the device.', SERVICES),
  handled('Stop-Application', 'stop-services.sh', 'Stops services of the device.', SERVICES),
];

const arnOf = (name: string, region: string): string => `arn:aws:iot:${region}::jobtemplate/${name}:${VERSION}`;

export const managedTemplates = (region: string): readonly ManagedTemplate[] =>
  FACTS.map(({ name, description, parameters, document }) => ({
    templateName: name,
    templateArn: arnOf(name, region),
    description,
    environments: ['LINUX'],
    templateVersion: VERSION,
    documentParameters: parameters,
    document,
  }));

export const findManagedTemplate = (name: string, version: string | undefined, region: string): ManagedTemplate | undefined =>
  version === undefined || version === VERSION
    ? managedTemplates(region).find(({ templateName }) => templateName === name)
    : undefined;

/** The managed template of an ARN; undefined for the ARN of another one. */
export function managedTemplateOf(arn: string, region: string): ManagedTemplate | undefined {
  const name = /^arn:aws:iot:([a-z0-9-]+)::jobtemplate\/([A-Za-z0-9_-]+)(?::([0-9.]+))?$/.exec(arn);
  if (name === null) return undefined;
  const [, of, templateName = '', version] = name;
  const found = of === region ? findManagedTemplate(templateName, version, region) : undefined;
  return found ?? fail('ResourceNotFoundException', `Managed job template ${arn} does not exist`);
}

/** Fails for parameters that the template does not have, that are missing, or that do not match. */
export function checkParameters({ documentParameters }: ManagedTemplate, given: Readonly<Record<string, string>>): void {
  const unknown = Object.keys(given).find((key) => !documentParameters.some((each) => each.key === key));
  if (unknown !== undefined) fail('InvalidRequestException', `The job template has no parameter ${unknown}`);
  for (const { key, regex, optional } of documentParameters) {
    const value = Object.hasOwn(given, key) ? given[key] : undefined;
    if (value === undefined && !optional) fail('InvalidRequestException', `The parameter ${key} of the job template is missing`);
    if (value !== undefined && !new RegExp(regex, 'u').test(value))
      fail('InvalidRequestException', `The parameter ${key} does not match ${regex}`);
  }
}

export const listedManagedTemplate = (template: ManagedTemplate) => ({
  templateArn: template.templateArn,
  templateName: template.templateName,
  description: template.description,
  environments: [...template.environments],
  templateVersion: template.templateVersion,
});
