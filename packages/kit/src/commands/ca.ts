/** `thingkit ca ...`: a factory's CA, from the root's key to a registered signer; every step can be made on a machine of its own. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { auditCeremony } from '../ceremony/audit.ts';
import {
  type Ceremony,
  type CeremonyKey,
  MADE,
  makeRoot,
  makeSigner,
  proveSigner,
  registerSigner,
  requestSigner,
  type StepResult,
} from '../ceremony/steps.ts';
import { readRecord } from '../ceremony/records.ts';
import { type TemplateName, TEMPLATES } from '../ceremony/templates.ts';
import { openElement } from '../open-element.ts';
import { registerCa, registrationCode } from '../service/iot-service.ts';
import { type Command, type CommandResult, EXIT, type Flag, type Given, type JsonValue, type Surroundings } from './command.ts';
import { KEY_FLAG } from './element-flag.ts';
import { clientOf, SERVICE_FLAGS } from './service-flags.ts';

const FOLDER: Flag = { name: 'folder', value: 'FOLDER', what: "the ceremony's files; else the current folder", isPath: true };
const element = (file: string): Flag => ({
  name: 'element',
  short: 'e',
  value: 'URI',
  what: `where the key is, such as pkcs11:token=CA?pin-source=file:pin; else ${file} in the folder`,
});
const TEMPLATE: Flag = {
  name: 'template',
  value: 'TEMPLATE',
  what: 'the form of the certificates; else standard',
  oneOf: TEMPLATES,
};
const years = (usual: number): Flag => ({ name: 'years', value: 'N', what: `years that it is valid; else ${usual}` });
const subject = (usual: string): Flag => ({ name: 'subject', short: 's', value: 'SUBJECT', what: `else "${usual}"` });

const ROOT_KEY = 'root-ca.key';
const SIGNER_KEY = 'signer-ca.key';
const ROOT_SUBJECT = '/O=Example Inc/CN=Example Root CA';
const SIGNER_SUBJECT = '/O=Example Inc/CN=Example Signer FFFF';
const MOST_YEARS = 100;

const ceremonyOf = (given: Given, { clock }: Surroundings): Ceremony => ({ folder: given.text('folder') ?? '.', clock });

/** Runs a step with the key that the flags name, or the one in the ceremony's folder. */
async function withKey<T>(given: Given, file: string, use: (key: CeremonyKey) => Promise<T>): Promise<T> {
  const folder = given.text('folder') ?? '.';
  if (!given.has('dry-run')) mkdirSync(folder, { recursive: true });
  await using opened = await openElement(given.text('element') ?? `file:${join(folder, file)}`);
  return await use({ element: opened, key: given.text('key') ?? opened.defaultKey });
}

function resultOf({ record, isRepeated }: StepResult): CommandResult {
  const { step, made, facts, time } = record;
  const lines = Object.entries(facts).map(([name, value]) => `  ${name}: ${value.replaceAll('\n', ', ')}`);
  return {
    data: { step, file: made.name, alreadyDone: isRepeated, time, facts },
    text: [`${isRepeated ? `was done at ${time}:` : 'wrote'} ${made.name}`, ...lines].join('\n'),
  };
}

const dryRun = (text: string, data: JsonValue): CommandResult => ({ data: { dryRun: true, plan: data }, text: `would ${text}` });

const rootCommand: Command = {
  name: 'ca root',
  summary: "Make a factory's root: its key where there is none, its certificate, and a signed record.",
  flags: [FOLDER, element(ROOT_KEY), KEY_FLAG, TEMPLATE, subject(ROOT_SUBJECT), years(25)],
  examples: [
    'thingkit ca root --folder ceremony --template zero-touch',
    'thingkit ca root --folder ceremony --element "pkcs11:token=root;object=root?pin-source=file:pin.txt"',
  ],
  isWriting: true,
  run: (given, surroundings) =>
    withKey(given, ROOT_KEY, async (key) => {
      const parameters = {
        template: (given.text('template') ?? 'standard') as TemplateName,
        subject: given.text('subject') ?? ROOT_SUBJECT,
        years: given.number('years', 25, { least: 1, most: MOST_YEARS }),
      };
      if (given.has('dry-run')) return dryRun(`make ${MADE['root-ca']} with the key ${key.key}`, { key: key.key, ...parameters });
      return resultOf(await makeRoot(ceremonyOf(given, surroundings), parameters, key));
    }),
};

const signerCsrCommand: Command = {
  name: 'ca signer-csr',
  summary: "Make the request of a signer, which signs devices' certificates under the root.",
  flags: [FOLDER, element(SIGNER_KEY), KEY_FLAG, subject(SIGNER_SUBJECT)],
  examples: ['thingkit ca signer-csr --folder ceremony'],
  isWriting: true,
  run: (given, surroundings) =>
    withKey(given, SIGNER_KEY, async (key) => {
      const name = given.text('subject') ?? SIGNER_SUBJECT;
      if (given.has('dry-run'))
        return dryRun(`make ${MADE['signer-ca-request']} with the key ${key.key}`, { key: key.key, subject: name });
      return resultOf(await requestSigner(ceremonyOf(given, surroundings), name, key));
    }),
};

const signerCommand: Command = {
  name: 'ca signer',
  summary: "Make the signer's certificate from its request, with the root's key; no network is needed.",
  flags: [FOLDER, element(ROOT_KEY), KEY_FLAG, TEMPLATE, years(10)],
  examples: ['thingkit ca signer --folder ceremony --template zero-touch'],
  isWriting: true,
  run: (given, surroundings) =>
    withKey(given, ROOT_KEY, async (key) => {
      const parameters = {
        template: (given.text('template') ?? 'standard') as TemplateName,
        years: given.number('years', 10, { least: 1, most: MOST_YEARS }),
      };
      if (given.has('dry-run'))
        return dryRun(`make ${MADE['signer-ca']} with the key ${key.key}`, { key: key.key, ...parameters });
      return resultOf(await makeSigner(ceremonyOf(given, surroundings), parameters, key));
    }),
};

const codeCommand: Command = {
  name: 'ca code',
  summary: "Print the account's registration code, which the proof of a CA's key names.",
  flags: SERVICE_FLAGS,
  examples: ['thingkit ca code > code.txt'],
  async run(given, surroundings) {
    const code = await registrationCode(clientOf(given, surroundings));
    return { data: { registrationCode: code }, text: code };
  },
};

const verificationCommand: Command = {
  name: 'ca verification',
  summary: "Make the proof that the signer's key is held, for a registration code; no network is needed.",
  flags: [
    FOLDER,
    element(SIGNER_KEY),
    KEY_FLAG,
    { name: 'code', value: 'CODE', what: 'what thingkit ca code printed', isRequired: true },
  ],
  examples: ['thingkit ca verification --folder ceremony --code "$(cat code.txt)"'],
  isWriting: true,
  run: (given, surroundings) =>
    withKey(given, SIGNER_KEY, async (key) => {
      const code = given.needed('code');
      if (given.has('dry-run')) return dryRun(`make ${MADE['signer-ca-verification']} for ${code}`, { key: key.key, code });
      return resultOf(await proveSigner(ceremonyOf(given, surroundings), code, key));
    }),
};

const REGISTER_FLAGS: readonly Flag[] = [
  { name: 'inactive', what: 'register it without activating it' },
  { name: 'no-auto-registration', what: 'devices do not register themselves with it' },
];

const registerCommand: Command = {
  name: 'ca register',
  summary: `Register the signer with AWS IoT: code, proof and registration, or the registration alone where the proof is there.
With the proof in the folder the key is not needed; the record is signed where it is.`,
  flags: [
    FOLDER,
    element(SIGNER_KEY),
    KEY_FLAG,
    ...REGISTER_FLAGS,
    { name: 'without-key', what: "the signer's key is elsewhere" },
    ...SERVICE_FLAGS,
  ],
  examples: [
    'thingkit ca register --folder ceremony',
    'thingkit ca register --folder ceremony --without-key --endpoint-url http://127.0.0.1:4566 --region us-east-1',
  ],
  isWriting: true,
  run(given, surroundings) {
    const ceremony = ceremonyOf(given, surroundings);
    const wish = { isActive: !given.has('inactive'), mayRegister: !given.has('no-auto-registration') };
    if (given.has('dry-run')) return Promise.resolve(dryRun(`register ${MADE['signer-ca']}`, wish));
    const client = clientOf(given, surroundings);
    const register = (key: CeremonyKey | undefined) =>
      registerSigner(ceremony, wish, key, (certificates) => registerCa(client, { ...certificates, ...wish }));
    if (given.has('without-key')) return register(undefined).then(resultOf);
    return withKey(given, SIGNER_KEY, async (key) => {
      const isProven = readRecord(ceremony.folder, 'signer-ca-verification') !== undefined;
      if (!isProven) await proveSigner(ceremony, await registrationCode(client), key);
      return resultOf(await register(key));
    });
  },
};

const auditCommand: Command = {
  name: 'ca audit',
  summary: 'Verify a ceremony from its files: signatures of the records, digests, and who signed what; exit code 5 for a fault.',
  flags: [FOLDER],
  examples: ['thingkit ca audit --folder ceremony'],
  async run(given) {
    const steps = auditCeremony(given.text('folder') ?? '.');
    const isWhole = steps.every(({ faults }) => faults.length === 0);
    return {
      data: { isWhole, steps: steps.map(({ faults, ...step }) => ({ ...step, faults: [...faults] })) },
      text: steps
        .flatMap(({ step, time, isSigned, faults }) => [
          `${faults.length === 0 ? 'good' : 'BAD '}  ${step}  ${time}${isSigned ? '' : '  (not signed: the key was not at hand)'}`,
          ...faults.map((fault) => `      ${fault}`),
        ])
        .join('\n'),
      exitCode: isWhole ? EXIT.done : EXIT.verification,
    };
  },
};

export const CA_COMMANDS: readonly Command[] = [
  ...[rootCommand, signerCsrCommand, signerCommand, codeCommand, verificationCommand, registerCommand, auditCommand],
];
