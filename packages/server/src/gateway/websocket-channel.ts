/**
 * A WebSocket as the broker's channel: MQTT packets in binary messages, cut wherever sender or receiver like
 * (MQTT 3.1.1 and 5, section 6).
 */
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import type { WebSocket } from 'ws';
import type { Broker } from '../broker/broker.ts';
import { closeForViolation } from '../broker/connection/fault.ts';
import type { Channel, ConnectAuthorizer, Peer, Transport } from '../broker/contract.ts';
import { MqttError } from '../mqtt/mqtt-error.ts';

/** RFC 6455 section 7.4.1; ABNORMAL stands for the end of a connection without a Close frame. */
const CLOSE = { NORMAL: 1000, UNSUPPORTED_DATA: 1003, ABNORMAL: 1006 } as const;

export class WebSocketChannel implements Channel {
  readonly #socket: WebSocket;
  #closeCode: number = CLOSE.NORMAL;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** A message for each buffer, as a buffer holds whole packets: nothing is copied, and no message gets long. */
  write(buffers: readonly Buffer[], sent: () => void): void {
    const last = buffers.length - 1;
    buffers.forEach((buffer, index) => {
      this.#socket.send(buffer, { binary: true }, index === last ? sent : undefined);
    });
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Sends a close frame behind what was written; a peer that doesn't close then is cut off after the server's `closeTimeout`. */
  end(): void {
    // The peer's own close frame, which the end waits for, comes behind what it has still sent.
    this.#socket.resume();
    this.#socket.close(this.#closeCode);
  }

  destroy(): void {
    this.#socket.terminate();
  }

  /** The peer sent what is not binary data: said in the close frame when the end comes. */
  refuseText(): void {
    this.#closeCode = CLOSE.UNSUPPORTED_DATA;
  }
}

/** Ties a WebSocket to the connections of the broker for as long as either lives. */
export function attachWebSocket(
  socket: WebSocket,
  connections: Pick<Broker['connections'], 'accept'>,
  peer: Peer,
  transport: Transport,
  authorizer: ConnectAuthorizer,
): void {
  const channel = new WebSocketChannel(socket);
  const client = connections.accept(channel, peer, transport, authorizer);
  // A message that came in fragments is handed on as they are: packets may span them.
  socket.binaryType = 'fragments';
  socket.on('message', (data, isBinary) => {
    if (isBinary) {
      for (const part of data as Buffer[]) client.receive(part);
    } else if (client.state !== 'closed') {
      channel.refuseText();
      closeForViolation(client, new MqttError(REASON.PROTOCOL_ERROR, 'a WebSocket message of text [MQTT-6.0.0-1]'));
    }
  });
  socket.on('error', (error: Error & { code?: string }) => {
    // Violations of RFC 6455 (not masked, too long, a bad close code) have a code of the framing; all else is a lost connection.
    if (error.code?.startsWith('WS_ERR_') && client.state !== 'closed')
      closeForViolation(client, new MqttError(REASON.PROTOCOL_ERROR, `not the WebSocket protocol: ${error.message}`));
    else client.ended();
  });
  socket.on('close', (code) => {
    // A Close frame, whatever its code, is the client's own end (developer guide, page life-cycle-events).
    client.ended(code === CLOSE.ABNORMAL ? undefined : 'close-frame');
  });
}
