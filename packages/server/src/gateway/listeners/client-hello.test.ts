/** The ClientHello as real clients send it, cut and damaged in every place (RFC 8446 section 4.1.2). */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { readHello } from './client-hello.ts';

/** The first bytes that a client sends for a name. */
const helloFor = (servername?: string): Promise<Buffer> =>
  new Promise((resolve) => {
    const transport = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        resolve(chunk);
        done();
      },
    });
    connect({ socket: transport, servername, ALPNProtocols: ['mqtt'] }).on('error', () => undefined);
  });

let hello: Buffer;
before(async () => {
  hello = await helloFor('Strict.Example.com');
});

test('the name is read, or that there is none', async () => {
  assert.deepEqual(readHello(hello), { serverName: 'Strict.Example.com' });
  assert.deepEqual(readHello(await helloFor()), { serverName: undefined });
  assert.deepEqual(readHello(Buffer.concat([hello, Buffer.from('more')])), { serverName: 'Strict.Example.com' });
});

test('less than all of it is incomplete, whatever is missing', () => {
  for (let length = 0; length < hello.length; length += 1)
    assert.equal(readHello(hello.subarray(0, length)), 'incomplete', `${length}`);
});

test('a message in several records is put together (RFC 8446 section 5.1)', () => {
  const message = hello.subarray(5);
  const record = (part: Buffer): Buffer => {
    const head = Buffer.from([22, 3, 1, 0, 0]);
    head.writeUInt16BE(part.length, 3);
    return Buffer.concat([head, part]);
  };
  for (const at of [1, 3, 4, 60, message.length - 1])
    assert.deepEqual(readHello(Buffer.concat([record(message.subarray(0, at)), record(message.subarray(at))])), {
      serverName: 'Strict.Example.com',
    });
});

test('what is no ClientHello has no name, and no bytes are waited for without end', () => {
  assert.deepEqual(readHello(Buffer.from('GET / HTTP/1.1\r\n\r\n')), { serverName: undefined });
  const endless = Buffer.alloc(20_000, 0xff);
  endless.set([22, 3, 1, 0xff, 0xff, 1, 0xff, 0xff, 0xff]);
  assert.deepEqual(readHello(endless), { serverName: undefined });
});

test('every damaged byte is met with a name, none, or patience: never a failure', () => {
  for (let at = 0; at < hello.length; at += 1)
    for (const value of [0, 1, 0x7f, 0xff]) {
      const damaged = Buffer.from(hello);
      damaged[at] = value;
      const read = readHello(damaged);
      assert.ok(read === 'incomplete' || 'serverName' in read);
    }
});
