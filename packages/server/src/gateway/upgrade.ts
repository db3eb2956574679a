/** The upgrade of an HTTP request to MQTT over WebSocket: its form, and the answer to one that is turned away. */
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { renderError } from '@thingkeep/wire/api/render-error.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { type HttpHead, singleHeader } from './authentication/http-head.ts';

/** Path and subprotocol of MQTT over WebSocket (developer guide, page protocols; [MQTT-6.0.0-3], [MQTT-6.0.0-4]). */
export const WEBSOCKET_PATH = '/mqtt';
export const SUBPROTOCOL = 'mqtt';

/** Milliseconds that a peer who was turned away gets to close, before the socket is taken away. */
const GRACE = 2_000;

/** A key is 16 bytes in base64 (RFC 6455 section 4.1). */
const KEY = /^[+/0-9A-Za-z]{22}==$/;

/**
 * Whether a request asks for a WebSocket. Other upgrades are ignored (RFC 9110 section 7.8): HTTP clients of Java offer
 * HTTP/2 with every plain request.
 */
export const asksForWebSocket = ({ headers }: IncomingMessage): boolean => headers.upgrade?.trim().toLowerCase() === 'websocket';

const tokens = (head: HttpHead, name: string): string[] =>
  (head.headers.get(name) ?? []).flatMap((value) => value.split(',').map((token) => token.trim()));

/** Fails for a request that can't become MQTT over WebSocket (RFC 6455 section 4.2.1). */
export function checkUpgrade(head: HttpHead): void {
  const bad = (message: string): never => fail('InvalidRequestException', message);
  if (head.path !== WEBSOCKET_PATH)
    fail('UnknownOperationException', `There is no WebSocket at this path but at ${WEBSOCKET_PATH}`);
  if (head.method !== 'GET') fail('MethodNotAllowedException', 'A WebSocket begins with GET');
  if (singleHeader(head, 'host') === undefined) bad(`Header 'host' is missing, or there is more than one`);
  if (singleHeader(head, 'upgrade')?.toLowerCase() !== 'websocket') bad(`Header 'upgrade' must be 'websocket'`);
  if (singleHeader(head, 'sec-websocket-version') !== '13') bad(`Header 'sec-websocket-version' must be '13'`);
  if (!KEY.test(singleHeader(head, 'sec-websocket-key') ?? '')) bad(`Header 'sec-websocket-key' must be 16 bytes in base64`);
  if (!tokens(head, 'sec-websocket-protocol').includes(SUBPROTOCOL))
    bad(`Header 'sec-websocket-protocol' must offer '${SUBPROTOCOL}'`);
  if (head.headers.has('transfer-encoding') || Number(singleHeader(head, 'content-length') ?? 0) !== 0)
    bad('An upgrade has no body');
}

/**
 * A whole answer in the data plane's form, for a socket that has no response object; then it closes. Gives the id that is in
 * it.
 */
export function refuseUpgrade(socket: Duplex, error: unknown): string {
  const requestId = randomUUID();
  if (!socket.writable) {
    socket.destroy();
    return requestId;
  }
  const { status, code, body } = renderError(undefined, error);
  const text = JSON.stringify({ ...(JSON.parse(String(body)) as object), traceId: requestId });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(text)}`,
    `x-amzn-ErrorType: ${code}:`,
    `x-amzn-RequestId: ${requestId}`,
    // RFC 6455 section 4.4: the version that would have been understood.
    'sec-websocket-version: 13',
    'connection: close',
  ];
  // What the peer still sends is read and dropped: unread bytes would turn the answer into a reset.
  socket.resume();
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`);
  const timer = setTimeout(() => socket.destroy(), GRACE).unref();
  socket.once('close', () => clearTimeout(timer));
  return requestId;
}
