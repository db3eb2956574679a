/** What a client is given: a decoder for its bytes. */

/** Takes the bytes of a connection, and handles the packets in them. */
export interface PacketSink {
  receive(chunk: Buffer): void;
  /** CONNECT was accepted: goes on with what came behind it. */
  resume(): void;
  /** Handles what was put off for another turn of the event loop. */
  goOn(): void;
}
