// The board of the kit, as far as the network sees it: TLS 1.2 with one cipher on P-256 and no server name, MQTT 3.1.1.
//   node board.mjs HOST PORT connect
//   node board.mjs HOST PORT publish TOPIC MESSAGE
//   node board.mjs HOST PORT subscribe FILTER      (prints one message, and ends)
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
board.on('message', (from, payload) => {
  console.log(`${from} ${payload}`);
  end();
});
board.on('connect', () => {
  console.log('MQTT: CONNACK');
  if (command === 'publish') board.publish(topic, message, { qos: 1 }, end);
  else if (command === 'subscribe') board.subscribe(topic, { qos: 0 }, () => console.log('MQTT: SUBACK'));
  else end();
});
