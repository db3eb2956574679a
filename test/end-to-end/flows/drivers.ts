/** All clients that run the flows. */
import type { Driver } from './client.ts';
import { mosquitto } from './mosquitto-client.ts';
import { mqttJs } from './mqttjs.ts';
import { paho } from './paho.ts';
import { deviceSdk } from './sdk.ts';

const LEVELS = [4, 5] as const;

export const DRIVERS: readonly Driver[] = LEVELS.flatMap((level) => [
  ...(['tls', 'alpn', 'wss', 'sigv4'] as const).map((transport) => mqttJs(level, transport)),
  ...(['tls', 'alpn', 'sigv4'] as const).map((transport) => deviceSdk(level, transport)),
  ...(['tls', 'wss'] as const).map((transport) => paho(level, transport)),
  ...(['tls', 'alpn'] as const).map((transport) => mosquitto(level, transport)),
]);
