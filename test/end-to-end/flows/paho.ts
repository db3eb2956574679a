/** Eclipse Paho's Python client, in a process of its own. */
import { plainEnvironment } from '../run-command.ts';
import { pythonScript, pythonWith } from '../python-command.ts';
import type { Driver, Level } from './client.ts';
import { Remote } from './remote.ts';

export const paho = (level: Level, transport: 'tls' | 'wss'): Driver => ({
  name: 'Paho Python',
  level,
  transport,
  cannot: {},
  open: async ({ server, device }) => {
    const port = transport === 'tls' ? server.ports.mqtt : server.ports.https;
    const args = [`${level}`, transport, `${port}`, server.rootCa, device.cert, device.key];
    return new Remote(pythonWith('paho.mqtt.client'), [pythonScript('paho_flows.py'), ...args], plainEnvironment());
  },
});
