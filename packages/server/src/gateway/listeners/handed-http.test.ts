import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { test } from 'node:test';
import { handedHttpServer } from './handed-http.ts';

test('a request whose head never ends is answered 408 and closed, on handed sockets too', async () => {
  const http = handedHttpServer(
    { headersTimeout: 50, requestTimeout: 100, connectionsCheckingInterval: 10 },
    { request: (_request, response) => response.end() },
  );
  const tcp = createServer((socket) => http.emit('connection', socket)).listen(0, '127.0.0.1');
  try {
    await once(tcp, 'listening');
    const peer = connect((tcp.address() as AddressInfo).port, '127.0.0.1');
    const closed = once(peer, 'close');
    peer.write('GET / HTTP/1.1\r\nhost: x\r\n');
    const [answer] = await once(peer, 'data');
    assert.match(String(answer), /^HTTP\/1\.1 408 /);
    await closed;
  } finally {
    tcp.close();
  }
});

test('an answer that is under way is not cut by what follows its request and is no HTTP', async () => {
  let answer: () => void = () => undefined;
  const broken = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const http = handedHttpServer(
    {},
    {
      request: (_request, response) => void broken.then(() => response.end('whole')),
      notHttp: () => answer(),
    },
  );
  const tcp = createServer((socket) => http.emit('connection', socket)).listen(0, '127.0.0.1');
  try {
    await once(tcp, 'listening');
    const peer = connect((tcp.address() as AddressInfo).port, '127.0.0.1');
    let text = '';
    peer.on('data', (chunk) => {
      text += String(chunk);
    });
    peer.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n\x10\x0d\x00\x04MQTT');
    await once(peer, 'close');
    assert.match(text, /^HTTP\/1\.1 200 [\s\S]*whole$/);
  } finally {
    tcp.close();
  }
});
