/**
 * The protocol of a client that has come to the wrong port, by its first bytes, and the sentence that says which port it wants.
 */
import type { Duplex } from 'node:stream';
import type { Refusal } from '../refusals/refusals.ts';
import { addressOf } from './peer.ts';

/** A port of the server. */
export type PortKind = 'mqtt' | 'https' | 'api';
export type WireProtocol = 'mqtt' | 'http' | 'tls' | 'unknown';

export interface ServerPorts {
  readonly mqtt: number;
  readonly https: number;
  readonly api: number;
  /** Whether the API is served over TLS. */
  readonly apiTls: boolean;
}

/** What each port speaks, behind its TLS if it has that. */
const PROTOCOL_OF: Readonly<Record<PortKind, WireProtocol>> = { mqtt: 'mqtt', https: 'http', api: 'http' };
const NAME_OF: Readonly<Record<PortKind, string>> = { mqtt: 'the MQTT port', https: 'the HTTPS port', api: 'the API port' };

const HTTP = /^(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PRI) /;
const HANDSHAKE = 0x16;
const CONNECT = 0x10;

/** The protocol that some bytes begin; more than the first fifteen are not looked at. */
export function detectProtocol(bytes: Uint8Array): WireProtocol {
  const text = Buffer.from(bytes.subarray(0, 15)).toString('latin1');
  if (HTTP.test(text)) return 'http';
  if (bytes[0] === HANDSHAKE && bytes[1] === 3) return 'tls';
  return bytes[0] === CONNECT && /MQTT|MQIsdp/.test(text) ? 'mqtt' : 'unknown';
}

export class WrongPort {
  readonly #ports: () => ServerPorts;

  constructor(ports: () => ServerPorts) {
    this.#ports = ports;
  }

  get #portHints(): Readonly<Record<'mqtt' | 'http', string>> {
    const { mqtt, https, api, apiTls } = this.#ports();
    return {
      mqtt: `MQTT over TLS is on port ${mqtt}`,
      http: `HTTPS for devices is on port ${https}, the AWS API at ${apiTls ? 'https' : 'http'}://HOST:${api}`,
    };
  }

  /** Bytes without TLS on a port of TLS; OpenSSL says whether they were HTTP. */
  noTlsReason(port: PortKind, protocol: 'http' | 'unknown'): string {
    if (protocol !== 'http')
      return port === 'mqtt'
        ? 'the client did not use TLS (plain MQTT, for instance): turn TLS on in the client, with root-ca.pem as its CA file'
        : `the client did not use TLS: turn TLS on in the client; ${this.#portHints.mqtt}, ${this.#portHints.http}`;
    return port === 'mqtt'
      ? `an HTTP request without TLS came on the MQTT port: ${this.#portHints.http}`
      : 'an http: request came on a port of HTTPS: use https: in the URL, with root-ca.pem as CA file';
  }

  /**
   * What came over TLS, or on an API port without it. Undefined for the port's own protocol, however broken, and for what is
   * no protocol that is known.
   */
  wrongPortReason(port: PortKind, bytes: Uint8Array): string | undefined {
    const protocol = detectProtocol(bytes);
    return protocol === PROTOCOL_OF[port] || protocol === 'unknown' ? undefined : this.#wrongProtocolReason(port, protocol);
  }

  #wrongProtocolReason(port: PortKind, protocol: 'mqtt' | 'http' | 'tls'): string {
    const { mqtt, http } = this.#portHints;
    const name = NAME_OF[port];
    if (protocol === 'http') return `an HTTP request came on ${name}: ${http}`;
    if (protocol === 'mqtt' && port === 'https')
      return `MQTT came on ${name} without ALPN: offer the ALPN protocol x-amzn-mqtt-ca there, or connect to the MQTT port: ${mqtt}`;
    if (protocol === 'mqtt') return `MQTT came on ${name}: ${mqtt}`;
    return port === 'api' && !this.#ports().apiTls
      ? `TLS came on ${name}, which speaks HTTP without TLS: use http: in the URL, or start the server with --api-tls; ${mqtt}, ${http}`
      : `TLS inside TLS on ${name}: turn TLS off in either the client or its proxy`;
  }
}

export interface WrongPortRecorder {
  readonly wrongPort: WrongPort;
  readonly refuse: (refusal: Refusal) => void;
}

/** Records a client that has come to the wrong port, if it is one by these bytes. */
export function recordWrongPort(
  { wrongPort, refuse }: WrongPortRecorder,
  port: 'https' | 'api',
  bytes: Uint8Array,
  socket: Duplex,
): void {
  const reason = wrongPort.wrongPortReason(port, bytes);
  if (reason !== undefined) refuse({ check: 'protocol', reason, protocol: port, sourceIp: addressOf(socket) });
}
