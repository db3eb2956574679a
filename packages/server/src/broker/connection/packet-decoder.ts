/**
 * Bytes of one peer into packets, in place: a packet that lies whole in the read buffer is never copied. A packet that
 * comes in pieces is gathered in a buffer that grows with what has come, not with what was announced.
 */
import { LIMITS } from '@thingkeep/wire/limits.ts';
import { PACKET } from '@thingkeep/wire/mqtt/packets.ts';
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import { MqttError } from '../../mqtt/mqtt-error.ts';
import type { Client } from './client.ts';
import { closeForViolation } from './fault.ts';
import { handlerFor } from './handlers/index.ts';
import { discardBatch, publish, flushBatch } from './handlers/publish.ts';
import { PublishHeader } from './handlers/publish-header.ts';
import type { PacketSink } from './services.ts';
import type { Deferred } from '../routing/loop-budget.ts';

/** A fixed header is at most five bytes: type and a remaining length of up to four [MQTT-2.2.3]. */
const LONGEST_HEADER = 5;
/** What a client may send ahead while its CONNECT is authorized. */
const MAX_AHEAD = 256 * 1024;

const INCOMPLETE = -1;

/** The header of the PUBLISH that is being handled, whichever decoder has read it. */
const header = new PublishHeader();

/** Whether some decoder is reading now: its messages lie in the one batch, which no other may touch meanwhile. */
let reading = false;

export class PacketDecoder implements PacketSink, Deferred {
  readonly #client: Client;
  /** A packet begun, or bytes that wait for the authorization of CONNECT. */
  #carry: Buffer | undefined;
  #have = 0;
  /** Size of the packet in `#carry`; 0 while its header is not whole. */
  #need = 0;
  /** Chunks that wait for the next turn of the event loop. */
  #deferred: Buffer[] | undefined;

  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Handles the packets of a chunk: now, or in the next turn of the event loop if this one has had its share. Also in the
   * next one when the chunk comes in the middle of another's: a delivery can let a publisher that waited go on.
   */
  receive(chunk: Buffer): void {
    if (this.#deferred !== undefined || reading || this.#client.broker.budget.isExhaustedFor(chunk.length)) this.#defer(chunk);
    else this.#read(chunk);
  }

  /** Whose turn it is when bytes wait. */
  get owner(): object | undefined {
    return this.#client.account;
  }

  /** Bytes that wait for the next turn. */
  get unread(): number {
    return (this.#deferred ?? []).reduce((sum, chunk) => sum + chunk.length, 0);
  }

  /** Does nothing when the bytes were handled already, because the connection was lost. */
  readDeferred(): void {
    const chunks = this.#deferred;
    if (chunks === undefined) return;
    this.#deferred = undefined;
    for (const chunk of chunks) if (this.#client.state !== 'closed') this.#read(chunk);
    this.#client.reading.resume();
  }

  #defer(chunk: Buffer): void {
    if (this.#deferred === undefined) {
      this.#deferred = [];
      this.#client.reading.pause();
      this.#client.broker.budget.defer(this);
    }
    this.#deferred.push(chunk);
  }

  #read(chunk: Buffer): void {
    const client = this.#client;
    client.broker.counters.receivedBytes += chunk.length;
    reading = true;
    try {
      if (client.state === 'admitting') {
        if (this.#have + chunk.length > MAX_AHEAD) throw new MqttError(REASON.PROTOCOL_ERROR, 'too many bytes ahead of CONNACK');
        this.#gather(chunk);
        return;
      }
      let start = 0;
      while (this.#have > 0) {
        start += this.#complete(chunk.subarray(start));
        if (this.#have > 0) return;
      }
      if (start < chunk.length) this.#parse(chunk, start);
      client.throttle?.received(chunk.length);
    } catch (error) {
      this.#failed(error);
    } finally {
      reading = false;
    }
  }

  /** The CONNECT was accepted: goes on with what came behind it. */
  resume(): void {
    const waiting = this.#carry?.subarray(0, this.#have);
    this.#forget();
    if (waiting === undefined || waiting.length === 0 || this.#client.state !== 'connected') return;
    reading = true;
    try {
      this.#parse(waiting, 0);
    } catch (error) {
      this.#failed(error);
    } finally {
      reading = false;
    }
  }

  #failed(error: unknown): void {
    if (error instanceof MqttError) {
      // What came whole before the violation has been published; a batch must never be left for the next connection.
      flushBatch(this.#client);
      closeForViolation(this.#client, error);
    } else {
      discardBatch();
      this.#client.broker.log.error({ err: error, clientId: this.#client.clientId }, 'a packet could not be handled');
      this.#client.close('SERVER_ERROR', REASON.UNSPECIFIED);
    }
  }

  #parse(bytes: Buffer, from: number): void {
    const client = this.#client;
    const end = bytes.length;
    let pos = from;
    while (pos < end) {
      const size = this.#packetSize(bytes, pos, end);
      if (size === INCOMPLETE || pos + size > end) break;
      const first = bytes[pos] as number;
      const body = pos + (size < 130 ? 2 : size < 16387 ? 3 : size < 2097156 ? 4 : 5);
      const next = pos + size;
      if (first >> 4 === PACKET.PUBLISH) {
        header.read(bytes, pos, body, next);
        publish(client, header);
      } else {
        flushBatch(client);
        handlerFor(first)(client, bytes, body, next);
      }
      pos = next;
      // A packet can end the connection, or hold up what follows until CONNECT has been authorized.
      if (client.state !== 'connected') break;
    }
    flushBatch(client);
    if (client.state === 'closed') return;
    if (pos < end) this.#begin(bytes, pos);
    // Not for a full QoS 1 queue: the acknowledgements that would empty it come this way.
    const delivery = client.session?.delivery;
    if (delivery?.isBackpressured) client.publisher.waitFor(delivery);
  }

  /** Size of the packet that begins at `pos`, or INCOMPLETE. Throws on what can't be a packet or is too large. */
  #packetSize(bytes: Buffer, pos: number, end: number): number {
    const { state } = this.#client;
    // Before CONNECT nothing else is parsed, not even measured [MQTT-3.1.0-1].
    if (state === 'awaiting-connect' && bytes[pos] !== PACKET.CONNECT << 4)
      throw new MqttError(REASON.PROTOCOL_ERROR, this.#client.broker.firstPacketFault(bytes.subarray(pos, end)));
    let length = 0;
    let at = pos + 1;
    for (let shift = 0; ; shift += 7) {
      if (at >= end) return INCOMPLETE;
      const byte = bytes[at++] as number;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (byte === 0 && shift > 0)
          throw new MqttError(REASON.MALFORMED_PACKET, 'a remaining length is longer than it needs to be');
        break;
      }
      if (shift === 21) throw new MqttError(REASON.MALFORMED_PACKET, 'a remaining length has more than four bytes');
    }
    const size = at - pos + length;
    if (size > LIMITS.packet)
      throw new MqttError(
        REASON.PACKET_TOO_LARGE,
        `a packet of ${size} bytes is larger than the limit of ${LIMITS.packet}: a payload may have ${LIMITS.payload}`,
      );
    return size;
  }

  /** Keeps the beginning of a packet whose rest has not come, or, while CONNECT is authorized, all that has come. */
  #begin(bytes: Buffer, pos: number): void {
    this.#gather(bytes.subarray(pos));
    if (this.#client.state === 'connected' || this.#client.state === 'awaiting-connect') this.#measure();
  }

  #measure(): void {
    const size = this.#packetSize(this.#carry as Buffer, 0, this.#have);
    this.#need = size === INCOMPLETE ? 0 : size;
  }

  #gather(bytes: Buffer): void {
    const size = this.#have + bytes.length;
    if (this.#carry === undefined || this.#carry.length < size) {
      // Not of Node's pool: a packet begun can stay so for long, and would keep 64 KB alive.
      const grown = Buffer.allocUnsafeSlow(Math.max(size, 2 * this.#have));
      this.#carry?.copy(grown, 0, 0, this.#have);
      this.#carry = grown;
    }
    this.#carry.set(bytes, this.#have);
    this.#have = size;
  }

  /** Adds to the packet begun and, when it is whole, handles it. Says how many bytes of the chunk it took. */
  #complete(chunk: Buffer): number {
    let taken = 0;
    while (this.#need === 0 && this.#have < LONGEST_HEADER && taken < chunk.length) {
      this.#gather(chunk.subarray(taken, taken + 1));
      taken += 1;
      this.#measure();
    }
    if (this.#need === 0) return taken;
    const part = chunk.subarray(taken, taken + this.#need - this.#have);
    if (part.length > 0) this.#gather(part);
    taken += part.length;
    if (this.#have < this.#need) return taken;
    const whole = (this.#carry as Buffer).subarray(0, this.#need);
    this.#forget();
    this.#parse(whole, 0);
    if (this.#client.state === 'admitting' || this.#client.state === 'closed') {
      if (this.#client.state === 'admitting' && taken < chunk.length) this.#gather(chunk.subarray(taken));
      return chunk.length;
    }
    return taken;
  }

  #forget(): void {
    this.#carry = undefined;
    this.#have = 0;
    this.#need = 0;
  }
}
