/** What a server answers in a TLS handshake, as it is on the wire. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

/** A port that leads to another one, and hands over what comes back from there. */
export async function tapTo(port: number, onAnswer: (chunk: Buffer) => void): Promise<AsyncDisposable & { port: number }> {
  const server = createServer((socket) => {
    const onward = connect(port, '127.0.0.1');
    onward.on('data', onAnswer);
    socket.pipe(onward).pipe(socket);
    for (const end of [socket, onward]) end.on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

/** Record header, handshake header, version and random: RFC 8446, sections 5.1, 4 and 4.1.3. */
const SESSION_ID_AT = 5 + 4 + 2 + 32;
const KEY_SHARE = 51;

/** Number of the group whose key share a ServerHello holds (RFC 8446, section 4.2.8); undefined where it holds none. */
export function keyShareGroup(answer: Buffer): number | undefined {
  const extensionsAt = SESSION_ID_AT + 1 + answer.readUInt8(SESSION_ID_AT) + 3;
  const end = extensionsAt + 2 + answer.readUInt16BE(extensionsAt);
  for (let at = extensionsAt + 2; at < end; at += 4 + answer.readUInt16BE(at + 2))
    if (answer.readUInt16BE(at) === KEY_SHARE) return answer.readUInt16BE(at + 4);
  return undefined;
}
