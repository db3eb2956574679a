/**
 * Which protocol a TLS connection carries, by its ALPN offer (developer guide, page protocols). On the HTTPS port the
 * offer decides; the MQTT port speaks MQTT whatever is offered, since SDKs send their offer on any port.
 */

export type DeviceProtocol = 'mqtt' | 'http';

export const ALPN = {
  MQTT_X509: 'x-amzn-mqtt-ca',
  HTTP_X509: 'x-amzn-http-ca',
  /** MQTT with a custom authorizer. */
  MQTT: 'mqtt',
  HTTP: 'http/1.1',
} as const;

/** MQTT port: agree with what is known, else with the first offer, so that no client is turned away for its habits. */
export const selectOnMqttPort = (offered: readonly string[]): string | undefined =>
  offered.includes(ALPN.MQTT_X509) ? ALPN.MQTT_X509 : offered[0];

/** HTTPS port: the first of what is served here; a client that offers only other protocols is refused in the handshake. */
export const selectOnHttpsPort = (offered: readonly string[]): string | undefined =>
  [ALPN.MQTT_X509, ALPN.HTTP_X509, ALPN.MQTT, ALPN.HTTP].find((name) => offered.includes(name));

export const protocolOf = (negotiated: string | false | null): DeviceProtocol =>
  negotiated === ALPN.MQTT_X509 || negotiated === ALPN.MQTT ? 'mqtt' : 'http';
