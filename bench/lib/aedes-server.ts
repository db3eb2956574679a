/** The peer aedes behind mutual TLS: node bench/lib/aedes-server.ts PORT AUTHORITY_FOLDER */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { Aedes } from 'aedes';
import { certificatesOf, keyOf } from './peers.ts';

const [port = '0', authority = ''] = process.argv.slice(2);
const server = readFileSync(join(authority, 'server-ecdsa.pem'), 'utf8');
const issuer = readFileSync(join(authority, 'device-issuer.pem'), 'utf8');
const broker = await Aedes.createBroker();
createServer(
  {
    key: keyOf(server),
    cert: certificatesOf(server),
    ca: certificatesOf(issuer),
    requestCert: true,
    rejectUnauthorized: true,
    noDelay: true,
  },
  (socket) => {
    broker.handle(socket);
  },
).listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
