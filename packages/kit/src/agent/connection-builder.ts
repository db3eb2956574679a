/** Settings of the SDK's MQTT 5 client for a device: where it connects to, as whom, and with which key. */
import type { mqtt5 } from 'aws-iot-device-sdk-v2';
import type { TlsKey } from '../elements/tls-key-source.ts';
import { AgentError } from './agent-error.ts';
import type { Sdk } from './load-sdk.ts';

export interface ConnectionSettings {
  /** Host name that the server's certificate is for. */
  readonly host: string;
  /** 8883, or 443 with ALPN. */
  readonly port: number;
  readonly clientId: string;
  readonly key: TlsKey;
  /** The device's certificate in PEM, with those of its authorities behind it where the service wants them. */
  readonly certificate: string;
  /** Authorities of the server in PEM; without them those of the system count. */
  readonly rootCa?: string;
  readonly keepAliveSeconds?: number;
  /** Milliseconds between two attempts: drawn between zero and a bound that doubles from `least` up to `most`. */
  readonly retry?: { readonly least: number; readonly most: number };
  /** The session stays at the service for so long after a connection ends; 0 where it is absent. */
  readonly sessionExpirySeconds?: number;
}

const KEEP_ALIVE = 60;
const RETRY = { least: 1_000, most: 120_000 };
/** Milliseconds that a connection has to hold before the next failure begins with the shortest wait again. */
const STEADY = 30_000;
const CONNECT_PATIENCE = 20_000;
/** Seconds that the service has to acknowledge a message; then it has failed. */
const ACK_PATIENCE = 30;
/** AWS IoT's bound on a message is 128 KB; topic and properties come on top. */
const MAX_PACKET = 262_144;

/** A PKCS #11 library of the SDK, kept: modules are initialized once in a process. */
const libraries = new Map<string, object>();

function builderOf({ io, iot }: Sdk, { host, key, certificate }: ConnectionSettings) {
  const { AwsIotMqtt5ClientConfigBuilder: Builder } = iot;
  switch (key.kind) {
    case 'file':
      return (readPrivateKey: (path: string) => string) =>
        Builder.newDirectMqttBuilderWithMtlsFromMemory(host, certificate, readPrivateKey(key.path));
    case 'pem':
      return () => Builder.newDirectMqttBuilderWithMtlsFromMemory(host, certificate, key.privateKey);
    case 'pkcs11': {
      const library = (libraries.get(key.module) ?? new io.Pkcs11Lib(key.module)) as InstanceType<Sdk['io']['Pkcs11Lib']>;
      libraries.set(key.module, library);
      return () =>
        Builder.newDirectMqttBuilderWithMtlsFromPkcs11(host, {
          pkcs11_lib: library,
          user_pin: key.pin ?? null,
          slot_id: key.slot,
          token_label: key.tokenLabel,
          private_key_object_label: key.keyLabel,
          cert_file_contents: certificate,
        });
    }
  }
}

/** Throws AgentError `connection` where the SDK does not take key, certificate or authorities. */
export function clientConfig(
  sdk: Sdk,
  settings: ConnectionSettings,
  readPrivateKey: (path: string) => string,
): mqtt5.Mqtt5ClientConfig {
  const { ClientSessionBehavior, RetryJitterType } = sdk.mqtt5;
  const { port, clientId, rootCa, keepAliveSeconds = KEEP_ALIVE, retry = RETRY, sessionExpirySeconds = 0 } = settings;
  try {
    const builder = builderOf(sdk, settings)(readPrivateKey);
    if (rootCa !== undefined) builder.withCertificateAuthority(rootCa);
    return builder
      .withPort(port)
      .withConnectProperties({
        clientId,
        keepAliveIntervalSeconds: keepAliveSeconds,
        maximumPacketSizeBytes: MAX_PACKET,
        ...(sessionExpirySeconds > 0 && { sessionExpiryIntervalSeconds: sessionExpirySeconds }),
      })
      .withSessionBehavior(sessionExpirySeconds > 0 ? ClientSessionBehavior.RejoinAlways : ClientSessionBehavior.Clean)
      .withRetryJitterMode(RetryJitterType.Full)
      .withMinReconnectDelayMs(retry.least)
      .withMaxReconnectDelayMs(retry.most)
      .withMinConnectedTimeToResetReconnectDelayMs(STEADY)
      .withConnackTimeoutMs(CONNECT_PATIENCE)
      .withAckTimeoutSeconds(ACK_PATIENCE)
      .build();
  } catch (cause) {
    throw new AgentError('connection', `key, certificate or root CA can not be used for TLS: ${(cause as Error).message}`, {
      hint: 'the certificate has to be that of the key, both in PEM',
      cause,
    });
  }
}
