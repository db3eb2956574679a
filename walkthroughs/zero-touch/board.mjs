// The board of the kit, as far as the network sees it: TLS 1.2 with one cipher on P-256 and no server name, MQTT 3.1.1.
//   node board.mjs HOST PORT connect
//   node board.mjs HOST PORT publish TOPIC MESSAGE
//   node board.mjs HOST PORT subscribe FILTER      (prints one message, and ends)
//   node board.mjs HOST PORT lights                (reports to its shadow and follows what is desired of its LEDs, until it is ended)
// Ends with code 1 when the server closes the connection.
import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { MqttClient } from 'mqtt';

const [host, port, command, topic, message] = process.argv.slice(2);
const read = (name) => readFileSync(name, 'utf8');

const overTls = () => {
  const socket = connect({
    host,
    port: Number(port),
    servername: '', // none is sent; the certificate is still held against the host's name
    ca: read('ca.pem'),
    cert: read('device.crt') + read('signer-ca.crt'),
    key: read('device.key'),
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.2',
    ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256',
    ecdhCurve: 'P-256',
  });
  return socket.once('secureConnect', () => console.log(`TLS: ${socket.getProtocol()} ${socket.getCipher().name}`));
};

const board = new MqttClient(overTls, {
  protocolVersion: 4,
  clientId: read('client-id.txt').trim(),
  clean: true,
  keepalive: 900,
  reconnectPeriod: 0,
});
const refused = () => {
  console.log('MQTT: the server has closed the connection');
  process.exit(1);
};
const end = () => {
  board.off('close', refused);
  board.end(false, () => process.exit(0));
};
board.on('error', (error) => console.log(`error: ${error.message}`));
board.on('close', refused);

// As the kit's firmware: the whole state is reported after the connection and after each delta, in this order, at QoS 0.
const state = { button1: 'up', button2: 'up', button3: 'up', led1: 'off', led2: 'off', led3: 'off' };
const shadow = `$aws/things/${board.options.clientId}/shadow`;
const report = () => board.publish(`${shadow}/update`, JSON.stringify({ state: { reported: state } }));
const follow = (delta) => {
  for (const led of ['led1', 'led2', 'led3']) if (led in delta.state) state[led] = delta.state[led] === 'on' ? 'on' : 'off';
  console.log(`LEDs: ${state.led1} ${state.led2} ${state.led3}`);
  report();
};

board.on('message', (from, payload) => {
  if (command === 'lights') {
    if (from === `${shadow}/update/delta`) follow(JSON.parse(payload.toString()));
    return;
  }
  console.log(`${from} ${payload}`);
  end();
});
board.on('connect', () => {
  console.log('MQTT: CONNACK');
  if (command === 'publish') board.publish(topic, message, { qos: 1 }, end);
  else if (command === 'subscribe') board.subscribe(topic, { qos: 0 }, () => console.log('MQTT: SUBACK'));
  else if (command === 'lights') board.subscribe(`${shadow}/update/delta`, { qos: 0 }, report);
  else end();
});
