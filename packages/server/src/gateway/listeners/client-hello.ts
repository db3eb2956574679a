/**
 * The server name of a ClientHello, read before TLS begins (RFC 8446 section 4.1.2, RFC 6066 section 3): a domain's TLS
 * versions must be known when OpenSSL picks one, which is earlier than it tells the name.
 */
import type { Socket } from 'node:net';
import { startDeadline } from '../../runtime/deadline.ts';

/** Far more than any client sends; a longer ClientHello counts as one without a name. */
const MAX_BYTES = 16 * 1024;
const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;

/** What the bytes so far tell: a name, that there is none to come, or that more bytes are needed. */
export type Hello = { readonly serverName: string | undefined } | 'incomplete';

const NO_NAME: Hello = { serverName: undefined };

/** Ends short of what it was asked for: the bytes contradict their own lengths. */
class Short extends RangeError {
  override readonly name = 'Short';
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  number(size: 1 | 2): number {
    return this.take(size).readUIntBE(0, size);
  }

  take(size: number): Buffer {
    if (size > this.left) throw new Short();
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  /** A part that its own length stands before. */
  part(lengthSize: 1 | 2): Reader {
    return new Reader(this.take(this.number(lengthSize)));
  }
}

/** The first handshake message that the records carry, once it is whole; undefined for what is no handshake. */
function handshake(bytes: Buffer): Buffer | 'incomplete' | undefined {
  const fragments: Buffer[] = [];
  for (let at = 0; at < bytes.length && bytes[at] === HANDSHAKE_RECORD && at + 5 <= bytes.length; ) {
    const end = at + 5 + bytes.readUInt16BE(at + 3);
    fragments.push(bytes.subarray(at + 5, end));
    at = end;
  }
  if (fragments.length === 0 && bytes.length > 0 && bytes[0] !== HANDSHAKE_RECORD) return undefined;
  const message = Buffer.concat(fragments);
  return message.length >= 4 && message.length >= 4 + message.readUIntBE(1, 3) ? message : 'incomplete';
}

function serverNameIn(message: Buffer): string | undefined {
  const hello = new Reader(message);
  if (hello.number(1) !== CLIENT_HELLO) return undefined;
  // Its length, the version and the random.
  hello.take(3 + 2 + 32);
  hello.part(1);
  hello.part(2);
  hello.part(1);
  if (hello.left === 0) return undefined;
  const extensions = hello.part(2);
  while (extensions.left > 0) {
    const type = extensions.number(2);
    const content = extensions.part(2);
    if (type !== SERVER_NAME) continue;
    const names = content.part(2);
    return names.number(1) === HOST_NAME ? names.take(names.number(2)).toString('latin1') : undefined;
  }
  return undefined;
}

export function readHello(bytes: Buffer): Hello {
  try {
    const message = handshake(bytes);
    if (message === 'incomplete') return bytes.length >= MAX_BYTES ? NO_NAME : 'incomplete';
    return message === undefined ? NO_NAME : { serverName: serverNameIn(message) };
  } catch (error) {
    // What is wrong with it is OpenSSL's to say.
    if (error instanceof Short) return NO_NAME;
    throw error;
  }
}

/**
 * Waits for the ClientHello and puts it back, so that TLS finds it unread. `found` is not called when the peer leaves
 * or takes longer than `patience` milliseconds: it is turned away then.
 */
export function peekServerName(socket: Socket, patience: number, found: (serverName: string | undefined) => void): void {
  let bytes = Buffer.alloc(0);
  const destroy = (): void => void socket.destroy();
  const cancel = startDeadline(patience, destroy);
  const leave = (): void => {
    cancel();
    socket.off('readable', look).off('error', destroy).off('end', destroy).off('close', leave);
  };
  const look = (): void => {
    for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null)
      bytes = Buffer.concat([bytes, chunk]);
    const hello = readHello(bytes);
    if (hello === 'incomplete') return;
    leave();
    socket.unshift(bytes);
    found(hello.serverName);
  };
  socket.on('readable', look).on('error', destroy).on('end', destroy).on('close', leave);
}
