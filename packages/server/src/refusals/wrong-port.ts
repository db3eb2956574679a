/**
 * What a client speaks that has come to the wrong port, told by its first bytes, and the sentence that says which port it
 * wants.
 */

/** A port of the server. */
export type PortKind = 'mqtt' | 'https' | 'api';
export type Spoken = 'mqtt' | 'http' | 'tls' | 'unknown';

export interface ServerPorts {
  readonly mqtt: number;
  readonly https: number;
  readonly api: number;
  /** Whether the API is served over TLS. */
  readonly apiTls: boolean;
}

/** The ports of the settings' defaults. */
const USUAL: ServerPorts = { mqtt: 8883, https: 8443, api: 4680, apiTls: false };

const HTTP = /^(?:GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PRI) /;
const HANDSHAKE = 0x16;
const CONNECT = 0x10;

/** The protocol that some bytes begin; more than the first fifteen are not looked at. */
export function spokenIn(bytes: Uint8Array): Spoken {
  const text = Buffer.from(bytes.subarray(0, 15)).toString('latin1');
  if (HTTP.test(text)) return 'http';
  if (bytes[0] === HANDSHAKE && bytes[1] === 3) return 'tls';
  return bytes[0] === CONNECT && /MQTT|MQIsdp/.test(text) ? 'mqtt' : 'unknown';
}

export class WrongPort {
  readonly #ports: () => ServerPorts;

  constructor(ports: () => ServerPorts = () => USUAL) {
    this.#ports = ports;
  }

  get #wants(): Readonly<Record<'mqtt' | 'http', string>> {
    const { mqtt, https, api, apiTls } = this.#ports();
    return {
      mqtt: `MQTT over TLS is on port ${mqtt}`,
      http: `HTTPS for devices is on port ${https}, the AWS API at ${apiTls ? 'https' : 'http'}://HOST:${api}`,
    };
  }

  /** Bytes without TLS on a port of TLS; `spoken` where they were seen, or where OpenSSL says it. */
  withoutTls(port: PortKind, spoken: Spoken): string {
    if (spoken !== 'http')
      return port === 'mqtt'
        ? 'what came is not TLS but MQTT or something else in clear: turn TLS on in the client, with root-ca.pem as its CA file'
        : `what came is not TLS: turn TLS on in the client; ${this.#wants.mqtt}, ${this.#wants.http}`;
    return port === 'mqtt'
      ? `an HTTP request without TLS came on the MQTT port: ${this.#wants.http}`
      : 'an http: request came on a port of HTTPS: use https: in the URL, with root-ca.pem as CA file';
  }

  /** What came over TLS, or on an API port without it, and is not the port's own protocol. */
  at(port: PortKind, spoken: Spoken): string {
    const { apiTls } = this.#ports();
    const name = { mqtt: 'the MQTT port', https: 'the HTTPS port', api: 'the API port' }[port];
    if (spoken === 'http') return `an HTTP request came on ${name}: ${this.#wants.http}`;
    if (spoken === 'mqtt' && port === 'https')
      return `MQTT came on ${name} without ALPN: offer the ALPN protocol x-amzn-mqtt-ca there, or connect to the MQTT port: ${this.#wants.mqtt}`;
    if (spoken === 'mqtt') return `MQTT came on ${name}: ${this.#wants.mqtt}`;
    if (spoken === 'tls')
      return port === 'api' && !apiTls
        ? `TLS came on ${name}, which speaks HTTP without TLS: use http: in the URL, or start the server with --api-tls; ${this.#wants.mqtt}, ${this.#wants.http}`
        : `TLS came inside of TLS on ${name}: let one of the client and its proxy do TLS`;
    return `what came on ${name} is neither HTTP nor MQTT nor TLS`;
  }
}
