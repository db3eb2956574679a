/**
 * A device agent of your own: a connection with the key of an element, and what runs on it (shadow.ts, jobs.ts, telemetry.ts,
 * renewal.ts). docs/kit/agent.md has an example of each.
 */
import type { SecureElement } from '../elements/contract.ts';
import { type CertificatePlace, type DeviceCredentials, deviceCredentials } from './credentials.ts';
import { type ConnectionEvent, DeviceConnection } from './device-connection.ts';

export interface AgentOptions {
  readonly element: SecureElement;
  /** Names of keys of the element; the certificate says which of them counts. The element's usual one where it is absent. */
  readonly keys?: readonly string[];
  readonly certificate: CertificatePlace;
  readonly host: string;
  /** 8883 where it is absent. */
  readonly port?: number;
  readonly clientId: string;
  /** Authorities of the server in PEM; those of the system where it is absent. */
  readonly rootCa?: string;
  readonly retry?: { readonly least: number; readonly most: number };
  readonly on?: (event: ConnectionEvent) => void;
}

export interface DeviceAgent extends AsyncDisposable {
  readonly connection: DeviceConnection;
  readonly credentials: DeviceCredentials;
}

const MQTT_PORT = 8883;

/** Begins to connect, and goes on until it is disposed of. Throws ElementError and AgentError where there is nothing to connect with. */
export async function startAgent(options: AgentOptions): Promise<DeviceAgent> {
  const { element, keys = [element.defaultKey], certificate, host, port = MQTT_PORT, clientId, rootCa, retry, on } = options;
  const credentials = await deviceCredentials(element, keys, certificate);
  const settings = { host, port, clientId, key: credentials.key, certificate: credentials.certificate, rootCa, retry };
  const connection = await DeviceConnection.open(settings, on);
  return { connection, credentials, [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose]() };
}
