/** A device with a certificate as MQTT.js connects it. */
import { readFileSync } from 'node:fs';
import mqtt from 'mqtt';
import type { Device } from './devices.ts';
import type { TestServer } from './test-core.ts';

export const connectMqtt = (
  { ports, rootCa }: Pick<TestServer, 'ports' | 'rootCa'>,
  clientId: string,
  { certPem, keyPem }: Pick<Device, 'certPem' | 'keyPem'>,
  protocolVersion: 4 | 5 = 4,
  more: Partial<mqtt.IClientOptions> = {},
): Promise<mqtt.MqttClient> =>
  mqtt.connectAsync({
    protocol: 'mqtts',
    host: 'localhost',
    port: ports.mqtt,
    ca: readFileSync(rootCa),
    cert: certPem,
    key: keyPem,
    clientId,
    protocolVersion,
    reconnectPeriod: 0,
    ...more,
  });
