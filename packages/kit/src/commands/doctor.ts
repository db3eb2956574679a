/** `thingkit doctor`: what stands between a chip and a connection, and what to do about it. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { certificateIdOf } from '@thingkeep/x509/certificate.ts';
import { startAgent } from '../agent/agent.ts';
import { examine } from '../doctor/examination.ts';
import type { Finding, FindingStatus } from '../doctor/findings.ts';
import { ElementError, type SecureElement } from '../elements/contract.ts';
import { isTlsKeySource } from '../elements/tls-key-source.ts';
import { refusalReasons } from '../service/refusals.ts';
import { type Command, type CommandResult, EXIT, type Given, type Surroundings } from './command.ts';
import { ELEMENT_FLAGS, elementOf, KEY_FLAG, keyOf } from './element-flag.ts';
import { endpointOf } from './run-work.ts';
import { clientOf, SERVICE_FLAGS } from './service-flags.ts';
import { storedCertificate } from './stored-certificate.ts';

/** Milliseconds for the device's own connection. */
const PATIENCE = 8_000;
const MQTT_PORT = 8883;

const MARKS: Readonly<Record<FindingStatus, string>> = {
  good: 'good   ',
  warning: 'warning',
  bad: 'BAD    ',
  skipped: 'skipped',
};

const lineOf = ({ check, status, text, hint }: Finding): string =>
  `${MARKS[status]}  ${check.padEnd(12)}${text}${hint === undefined ? '' : `\n           ${hint.replaceAll('\n', '\n           ')}`}`;

/** The certificate that the flag names, or the element keeps; undefined where there is none. */
async function certificateOf(given: Given, element: SecureElement, key: string): Promise<string | undefined> {
  const file = given.text('certificate');
  if (file !== undefined) return readFileSync(file, 'utf8');
  try {
    return await storedCertificate(element, key);
  } catch (error) {
    if (error instanceof ElementError) return undefined;
    throw error;
  }
}

/** How the server is asked why, where the flags or the environment name one. */
function reasonsOf(given: Given, surroundings: Surroundings, certificate: string | undefined) {
  const endpoint = given.text('endpoint-url') ?? surroundings.environment.AWS_ENDPOINT_URL;
  if (endpoint === undefined || certificate === undefined) return undefined;
  return async (): Promise<readonly string[]> => {
    const certificateId = certificateIdOf(Buffer.from(new X509Certificate(certificate).raw));
    return refusalReasons(clientOf(given, surroundings), endpoint, { certificateId });
  };
}

async function examined(given: Given, surroundings: Surroundings): Promise<CommandResult> {
  await using element = await elementOf(given, surroundings);
  const key = keyOf(given, element);
  const certificate = await certificateOf(given, element, key);
  const [place, rootFile] = [given.text('endpoint'), given.text('root-ca')];
  const endpoint = place === undefined ? undefined : { port: MQTT_PORT, ...withoutAbsent(endpointOf(place)) };
  const rootCa = rootFile === undefined ? undefined : readFileSync(rootFile, 'utf8');
  const connect = async (): Promise<void> => {
    const { host = '', port = MQTT_PORT } = endpoint ?? {};
    const clientId = given.text('client-id') ?? 'thingkit-doctor';
    const options = { element, keys: [key], certificate: { pem: certificate ?? '' }, host, port, clientId, rootCa };
    await using agent = await startAgent(options);
    await agent.connection.connected({ milliseconds: PATIENCE, signal: surroundings.signal });
  };
  const findings = await examine({
    element,
    key,
    certificate,
    endpoint,
    rootCa,
    now: surroundings.clock.now(),
    connect: isTlsKeySource(element) ? connect : undefined,
    reasons: reasonsOf(given, surroundings, certificate),
  });
  const isWell = findings.every(({ status }) => status !== 'bad');
  return {
    data: { isWell, findings: findings.map((finding) => ({ ...finding })) },
    text: findings.map(lineOf).join('\n'),
    exitCode: isWell ? EXIT.done : EXIT.failed,
  };
}

const withoutAbsent = ({ host, port }: { host: string; port: number | undefined }) => ({
  host,
  ...(port !== undefined && { port }),
});

export const doctorCommand: Command = {
  name: 'doctor',
  summary: `Say what stands between a chip and a connection, and what to do: bus, locks, key, certificate, clock, name, port, TLS, CONNECT.
Exit code 1 where something is in the way.`,
  flags: [
    ...ELEMENT_FLAGS,
    KEY_FLAG,
    { name: 'certificate', value: 'FILE', what: "the device's certificate in PEM; else the element has it", isPath: true },
    { name: 'endpoint', value: 'HOST[:PORT]', what: 'where the device connects to; without it the way is not looked at' },
    { name: 'root-ca', value: 'FILE', what: "the server's authorities in PEM; else those of the system", isPath: true },
    { name: 'client-id', value: 'ID', what: 'MQTT client id that it connects with; else thingkit-doctor' },
    ...SERVICE_FLAGS,
  ],
  examples: [
    'thingkit doctor --element atecc608:/dev/i2c-1',
    'thingkit doctor --element file:device.key --endpoint localhost:8883 --root-ca root-ca.pem --client-id lamp-1',
  ],
  run: examined,
};
