/**
 * The keys and variables of a device's connection or request.
 * Source: developer guide, pages basic-policy-variables, thing-policy-variables, cert-policy-variables, connect-policy.
 */
import type { PolicyToken } from '@thingkeep/wire/documents/policy-text.ts';
import { type CertificateNames, type NameValues, readCertificateNames } from './certificate-names.ts';
import { timeKeys } from './condition.ts';
import type { CompiledPolicies } from './compile.ts';
import { type ContextKeys, contextKeys, normalizeKey, type PolicyContext } from './context.ts';

export interface DeviceFacts {
  readonly protocol: 'mqtt' | 'http';
  readonly clientId?: string;
  /** Address of the peer, without port. */
  readonly sourceIp?: string;
  /** Host name that the client asked for in TLS. */
  readonly domainName?: string;
  /** False only on a listener without TLS. */
  readonly secureTransport?: boolean;
  /** Wall clock, milliseconds since the epoch. */
  readonly now: number;
  /** The client certificate, in DER or as read before. */
  readonly certificateDer?: Uint8Array;
  readonly certificateNames?: CertificateNames;
  /** The thing whose name is the client id, or the one that the certificate is attached to exclusively. */
  readonly thing?: {
    readonly thingName: string;
    readonly thingTypeName?: string;
    readonly attributes: Readonly<Record<string, string>>;
  };
  /** Whether the principal is attached to that thing; without it the thing's variables stay unresolved. */
  readonly isAttached: boolean;
  /** Features that the CONNECT uses: `PersistentConnect`, `LastWill`. */
  readonly connectAttributes?: readonly string[];
  /** ARN of the will's topic, as `iot:LastWillTopic` is compared. */
  readonly lastWillTopicArn?: string;
}

type KeyValue = readonly [key: string, value: string | readonly string[]];

/** Plain name: the first value. `.0`, `.1`, ...: that value. `.List`: all. */
const multivalued = (prefix: string, names: NameValues): readonly KeyValue[] =>
  [...names].flatMap(([name, values]) => {
    const key = `${prefix}.${name}`;
    const [first] = values;
    if (first === undefined) return [];
    return [
      [key, first] as const,
      [`${key}.List`, values] as const,
      ...values.map((value, index) => [`${key}.${index}`, value] as const),
    ];
  });

function certificateValues(names: CertificateNames): readonly KeyValue[] {
  const values: KeyValue[] = [
    ['iot:Certificate.SerialNumber', names.serialNumber],
    ...multivalued('iot:Certificate.Subject', names.subject),
    ...multivalued('iot:Certificate.Issuer', names.issuer),
    ...multivalued('iot:Certificate.Subject.AlternativeName', names.subjectAlternative),
    ...multivalued('iot:Certificate.Issuer.AlternativeName', names.issuerAlternative),
  ];
  // "Contains the name of all certificate policy variables that contain values."
  const available = values.map(([key]) => key).filter((key) => !/\.(?:\d|List)$/.test(key));
  return [...values, ['iot:Certificate.AvailableKeys', available]];
}

function thingValues({ thing, isAttached }: DeviceFacts): readonly KeyValue[] {
  const attached: KeyValue = ['iot:Connection.Thing.IsAttached', String(isAttached && thing !== undefined)];
  if (!isAttached || thing === undefined) return [attached];
  return [
    attached,
    ['iot:Connection.Thing.ThingName', thing.thingName],
    ...(thing.thingTypeName === undefined ? [] : [['iot:Connection.Thing.ThingTypeName', thing.thingTypeName] as const]),
    ...Object.entries(thing.attributes).map(([name, value]) => [`iot:Connection.Thing.Attributes[${name}]`, value] as const),
  ];
}

const present = (key: string, value: string | undefined): readonly KeyValue[] =>
  value === undefined || value === '' ? [] : [[key, value]];

/**
 * The condition keys of a device. Keys are made anew whenever they are asked for: that is once for each
 * action of a connection, and kept they would be most of what an idle connection weighs.
 */
export const deviceContext = (facts: DeviceFacts): PolicyContext => new DeviceContext(facts);

/** A class, since getters of an object of its own would weigh half a kilobyte for each connection. */
class DeviceContext implements PolicyContext {
  readonly #facts: DeviceFacts;

  constructor(facts: DeviceFacts) {
    this.#facts = facts;
  }

  get keys(): ContextKeys {
    return deviceKeys(this.#facts);
  }

  get connectKeys(): ContextKeys {
    const { connectAttributes, lastWillTopicArn } = this.#facts;
    return contextKeys([
      ...(connectAttributes === undefined ? [] : [['iot:ConnectAttributes', connectAttributes] as const]),
      ...present('iot:LastWillTopic', lastWillTopicArn),
    ]);
  }
}

const CERTIFICATE = 'iot:certificate.';
const asking = new WeakMap<CompiledPolicies, boolean>();

/** Whether any of these policies asks for a name in the client's certificate: for all others it need not be read. */
export function asksForCertificate(policies: CompiledPolicies): boolean {
  const known = asking.get(policies);
  if (known !== undefined) return known;
  const isAbout = (tokens: readonly PolicyToken[]): boolean =>
    tokens.some((token) => token.kind === 'variable' && normalizeKey(token.name).startsWith(CERTIFICATE));
  const asks = policies.statements.some(
    ({ resources, conditions }) =>
      resources.some((template) => template !== '*' && template.some(isAbout)) ||
      conditions.some(({ key, values }) => key.startsWith(CERTIFICATE) || values.some(isAbout)),
  );
  asking.set(policies, asks);
  return asks;
}

function deviceKeys(facts: DeviceFacts): ContextKeys {
  const names =
    facts.certificateNames ?? (facts.certificateDer === undefined ? undefined : readCertificateNames(facts.certificateDer));
  const mqtt = facts.protocol === 'mqtt';
  return new Map([
    ...timeKeys(facts.now),
    ...contextKeys([
      ...present('aws:SourceIp', facts.sourceIp),
      ['aws:SecureTransport', String(facts.secureTransport ?? true)],
      ...present('iot:DomainName', facts.domainName),
      ...(mqtt ? present('iot:ClientId', facts.clientId) : []),
      ...(mqtt ? thingValues(facts) : []),
      ...(names === undefined ? [] : certificateValues(names)),
    ]),
  ]);
}
