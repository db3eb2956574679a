/**
 * Delivery to one session. QoS 0 goes straight to the output or, beyond the bound, nowhere. QoS 1 goes through a window of
 * unacknowledged packets with a queue behind it: in memory and bounded, or, for a persistent session, on disk. Whoever
 * fills a client up is held back for a moment; a client that stays full is marked slow and holds nobody back any more.
 */
import { LIMITS } from '@thingkeep/wire/limits.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Aliases } from './aliases.ts';
import type { Backlog } from './backlog.ts';
import { withRemaining } from './expiry.ts';
import { InFlight } from './in-flight.ts';
import type { Output } from './output.ts';
import { keep, type Run, type Segment } from './run.ts';
import { decodeStored } from './stored-message.ts';
import type { TopicEntry } from './topic-entry.ts';

/** Milliseconds for which a full client may hold publishers back, and for which it then may not. */
const PATIENCE = 250;
const PENANCE = 30_000;
/** Milliseconds after which an unacknowledged packet is sent again on a live connection (AWS does so after about 30 s). */
const REDELIVERY = 30_000;
/** Milliseconds for which an unacknowledged packet may point into the buffer that it was read into. */
const SETTLE = 1_000;
/** Bytes of unacknowledged packets beyond which no more are sent. */
const MOST_IN_FLIGHT = 1024 * 1024;
/** Bytes of a persistent session's queue that are held in memory; the others are on disk alone. */
const IN_MEMORY = 256 * 1024;

export interface Waiter {
  /** One of the clients that this publisher waited for has room again. */
  released(): void;
}

interface Queued {
  readonly segment: Segment;
  readonly topic: TopicEntry;
  readonly expiresAt: number;
  /** Sequence of its row; 0 when it is in memory alone. Its first message is number `first` of the row. */
  readonly row: number;
  readonly first: number;
  /** Rights generation by which it was allowed. */
  rights: number;
  next: number;
}

/** Bytes of memory that a queued segment takes, its objects and tables included: small messages cost more than they weigh. */
const costOf = (segment: Segment): number => segment.bytes.length + 8 * segment.count + 512;

export interface DeliveryCounters {
  sent: number;
  dropped: number;
}

/** What delivery asks of the session's side. */
export interface Receiver {
  /** Rises when rights change. */
  readonly rightsGeneration: number;
  /** Whether the client may have messages of the topic now; a refusal is recorded. */
  mayReceive(topic: TopicEntry): boolean;
  topic(name: string): TopicEntry;
  failed(error: unknown): void;
}

/** The connection that a session has got. */
export interface Line {
  readonly output: Output;
  readonly receiver: Receiver;
  readonly level: 4 | 5;
  readonly receiveMaximum: number;
  /** Largest packet that the client takes (MQTT 5 Maximum Packet Size). */
  readonly largest: number;
  readonly aliases: Aliases | undefined;
}

export class Delivery {
  readonly #counters: DeliveryCounters;
  readonly #clock: Clock;
  /** Undefined while the client is away. */
  #line: Line | undefined;
  #output: Output | undefined;
  #window = 0;
  #largest = 0;
  #inFlight: InFlight | undefined;
  #nextId = 1;
  #queue: Queued[] = [];
  #queuedBytes = 0;
  #loading: object | undefined;
  #waiters: Waiter[] = [];
  /** Monotonic ms: full since, and slow until; 0 when neither. */
  fullSince = 0;
  #slowUntil = 0;
  /** The queue on disk of a persistent session. */
  readonly backlog: Backlog | undefined;

  constructor(counters: DeliveryCounters, clock: Clock, backlog?: Backlog) {
    this.#counters = counters;
    this.#clock = clock;
    this.backlog = backlog;
  }

  /** The client is there: what waited is sent. */
  attach(line: Line): void {
    this.#line = line;
    this.#output = line.output;
    this.#window = Math.min(line.receiveMaximum, LIMITS.inFlight);
    this.#largest = line.largest;
    this.#nextId = 1;
    this.#fill();
  }

  /** The client is gone: what it has not acknowledged waits on disk, or is gone too. */
  detach(): void {
    this.#account(-this.#queuedBytes);
    this.#line = undefined;
    this.#output = undefined;
    this.#inFlight = undefined;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#loading = undefined;
    this.fullSince = 0;
    this.#slowUntil = 0;
    this.backlog?.rewind();
    this.#release();
  }

  /** Whether the client itself should not be read from: it takes nothing, so what it sends must not cause more. */
  get stuck(): boolean {
    return this.#slowUntil === 0 && this.#output !== undefined && this.#output.pending > this.#output.bound / 3;
  }

  /** Whether publishers should wait before they send more here. */
  get full(): boolean {
    const output = this.#output;
    if (this.#slowUntil !== 0 || output === undefined) return false;
    const most = output.bound / 3;
    return output.pending > most || this.#queuedBytes > most;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  sendQos0(segment: Segment, topic: TopicEntry): void {
    const output = this.#output;
    if (output === undefined) return;
    if (output.pending > output.bound) {
      this.#counters.dropped += segment.count;
      return;
    }
    if (segment.largest > this.#largest || this.#line?.aliases !== undefined) {
      for (let i = 0; i < segment.count; i += 1) this.#sendOne(segment, i, topic, 0, 0);
      return;
    }
    const start = segment.at[0] as number;
    const size = (segment.at[segment.count] as number) - start;
    const to = output.reserve(size);
    segment.bytes.copy(to, output.at, start, start + size);
    this.#counters.sent += segment.count;
  }

  /**
   * Sends or queues messages of QoS 1; `row` is where they are stored, 0 when nowhere. False when the queue in memory is
   * beyond its bound: the client must go, since nothing acknowledged may be dropped.
   */
  sendQos1(segment: Segment, run: Run, row: number, shared: boolean): boolean {
    const { backlog } = this;
    const line = this.#line;
    if (backlog !== undefined && row !== 0) {
      const behind = backlog.behind;
      const size = (segment.at[segment.count] as number) - (segment.at[0] as number);
      backlog.put(row, segment.count, size);
      if (line === undefined) return true;
      if (behind || this.#queuedBytes > IN_MEMORY) {
        this.#fill();
        return true;
      }
      backlog.take(row, segment.count, size, shared);
    }
    if (line === undefined) return true;
    const topic = run.topic as TopicEntry;
    let from = 0;
    if (this.#queue.length === 0) {
      from = Math.min(this.#room(), segment.count);
      if (from > 0) this.#send(segment, 0, from, topic, row, 0);
    }
    if (from < segment.count) {
      const kept = keep(segment, from);
      this.#push({
        segment: kept,
        topic,
        expiresAt: run.expiresAt,
        row,
        first: from,
        rights: line.receiver.rightsGeneration,
        next: 0,
      });
      // All that was sent may have been too large for this client, and then no acknowledgement will come to go on.
      if (this.#inFlight === undefined || this.#inFlight.count === 0) this.#sendQueued();
    }
    return row !== 0 || this.#queuedBytes + line.output.pending <= line.output.bound;
  }

  /** A PUBACK came. One for a packet that is not in flight changes nothing. */
  acknowledged(packetId: number): void {
    const inFlight = this.#inFlight;
    if (inFlight === undefined || !inFlight.acknowledge(packetId)) return;
    if (inFlight.row !== 0) this.backlog?.done(inFlight.row, inFlight.index);
    if (this.#queue.length > 0) this.#sendQueued();
    else if (this.backlog?.behind) this.#fill();
  }

  /** Sends again what has waited for its acknowledgement for too long; called about once a second. */
  redeliver(now: number): void {
    const inFlight = this.#inFlight;
    const line = this.#line;
    if (inFlight === undefined || inFlight.count === 0 || line === undefined) return;
    inFlight.settle(now - SETTLE);
    // A client that takes nothing has these packets before it still.
    if (line.output.pending > 0) return;
    for (const sent of inFlight.overdue(now - REDELIVERY, now)) {
      if (!line.receiver.mayReceive(sent.topic)) {
        this.acknowledged(sent.packetId);
        continue;
      }
      const size = sent.end - sent.start;
      const to = line.output.reserve(size);
      const at = line.output.at;
      sent.bytes.copy(to, at, sent.start, sent.end);
      writeId(to, at, sent.topic, sent.packetId);
      this.#counters.sent += 1;
    }
  }

  wait(waiter: Waiter, now: number): void {
    if (this.fullSince === 0) this.fullSince = now;
    this.#waiters.push(waiter);
  }

  /** The output has taken bytes, or acknowledgements came: who waited may go on once half of the bound is free. */
  drained(): void {
    const output = this.#output;
    if (output !== undefined) {
      const most = output.bound / 6;
      if (output.pending > most || this.#queuedBytes > most) return;
    }
    this.fullSince = 0;
    this.#release();
  }

  /** Gives up waiting for a client that stays full. Says whether it is slow now. */
  judge(now: number): boolean {
    if (this.#slowUntil !== 0 && now >= this.#slowUntil && !this.full) this.#slowUntil = 0;
    if (this.fullSince !== 0 && now - this.fullSince > PATIENCE) {
      this.#slowUntil = now + PENANCE;
      this.fullSince = 0;
      this.#release();
    }
    return this.#slowUntil !== 0;
  }

  /** Packets that may be sent now. Early acknowledgements leave holes: the ring, not only the count, must have room. */
  #room(): number {
    const inFlight = this.#inFlight;
    if (inFlight === undefined) return this.#window;
    return inFlight.bytes > MOST_IN_FLIGHT ? 0 : Math.min(this.#window - inFlight.count, inFlight.room);
  }

  #release(): void {
    for (const waiter of this.#waiters.splice(0)) waiter.released();
  }

  #account(bytes: number): void {
    this.#output?.account(bytes);
  }

  #push(queued: Queued): void {
    this.#queue.push(queued);
    const cost = costOf(queued.segment);
    this.#queuedBytes += cost;
    this.#account(cost);
  }

  #send(segment: Segment, from: number, to: number, topic: TopicEntry, row: number, first: number): void {
    if (segment.largest > this.#largest || this.#line?.aliases !== undefined)
      for (let i = from; i < to; i += 1) this.#sendOne(segment, i, topic, row, first + i);
    else this.#sendRange(segment, from, to, topic, row, first);
  }

  #sendRange(segment: Segment, from: number, to: number, topic: TopicEntry, row: number, first: number): void {
    const output = this.#output as Output;
    this.#inFlight ??= new InFlight();
    const inFlight = this.#inFlight;
    const start = segment.at[from] as number;
    const size = (segment.at[to] as number) - start;
    const bytes = output.reserve(size);
    const shift = output.at - start;
    segment.bytes.copy(bytes, output.at, start, start + size);
    const now = this.#clock.monotonic();
    let id = this.#nextId;
    for (let i = from; i < to; i += 1) {
      const at = (segment.idAt[i] as number) + shift;
      bytes[at] = id >> 8;
      bytes[at + 1] = id & 0xff;
      inFlight.add(id, now, segment.bytes, segment.at[i] as number, segment.at[i + 1] as number, topic, row, first + i);
      id = id === 0xffff ? 1 : id + 1;
    }
    this.#nextId = id;
    this.#counters.sent += to - from;
  }

  /** A packet by itself: too large for the client, and then not sent to it [MQTT-3.1.2-24, 3.1.2-25], or with an alias. */
  #sendOne(segment: Segment, i: number, topic: TopicEntry, row: number, index: number): void {
    const { output, aliases, largest } = this.#line as Line;
    const start = segment.at[i] as number;
    const end = segment.at[i + 1] as number;
    if (end - start > largest) {
      this.#counters.dropped += 1;
      if (row !== 0) this.backlog?.done(row, index);
      return;
    }
    const packet = aliases?.apply(segment.bytes, start, end, topic) ?? segment.bytes.subarray(start, end);
    const to = output.reserve(packet.length);
    const at = output.at;
    packet.copy(to, at);
    this.#counters.sent += 1;
    if (((packet[0] as number) & 0x06) === 0) return;
    this.#inFlight ??= new InFlight();
    const id = this.#nextId;
    this.#nextId = id === 0xffff ? 1 : id + 1;
    writeId(to, at, undefined, id);
    this.#inFlight.add(id, this.#clock.monotonic(), segment.bytes, start, end, topic, row, index);
  }

  #sendQueued(): void {
    while (this.#queue.length > 0) {
      const room = this.#room();
      if (room <= 0) return;
      const first = this.#queue[0] as Queued;
      if (!this.#current(first)) {
        if (first.row !== 0)
          for (let i = first.next; i < first.segment.count; i += 1) this.backlog?.done(first.row, first.first + i);
        this.#counters.dropped += first.segment.count - first.next;
        this.#shift(first);
        continue;
      }
      const upTo = Math.min(first.next + room, first.segment.count);
      const segment = first.expiresAt === 0 ? first.segment : this.#aged(first);
      this.#send(segment, first.next, upTo, first.topic, first.row, first.first);
      first.next = upTo;
      // Packets too large for this client took no room: there may be some left.
      if (upTo < first.segment.count) continue;
      this.#shift(first);
      if (this.fullSince !== 0) this.drained();
    }
    this.#fill();
  }

  #shift(first: Queued): void {
    this.#queue.shift();
    const cost = costOf(first.segment);
    this.#queuedBytes -= cost;
    this.#account(-cost);
  }

  /** Whether queued messages may still be sent: not expired, and allowed by the rights of now. */
  #current(queued: Queued): boolean {
    if (queued.expiresAt !== 0 && queued.expiresAt <= this.#clock.now()) return false;
    const { receiver } = this.#line as Line;
    if (queued.rights === receiver.rightsGeneration) return true;
    queued.rights = receiver.rightsGeneration;
    return receiver.mayReceive(queued.topic);
  }

  /** The message with the seconds that are left of its expiry interval [MQTT-3.3.2-6]. */
  #aged({ segment, expiresAt }: Queued): Segment {
    if (this.#line?.level !== 5) return segment;
    return withRemaining(segment, Math.max(0, Math.ceil((expiresAt - this.#clock.now()) / 1000)));
  }

  /** Reads on in the queue on disk when there is room for it. */
  #fill(): void {
    const { backlog } = this;
    if (backlog === undefined || !backlog.behind || this.#loading !== undefined) return;
    if (this.#line === undefined || this.#queuedBytes > IN_MEMORY / 2) return;
    const turn = {};
    this.#loading = turn;
    backlog
      .read(() => this.#loading === turn)
      .then(
        (page) => {
          // The connection has ended meanwhile.
          if (this.#loading !== turn || this.#line === undefined) return;
          this.#loading = undefined;
          for (const { at, value, shared } of page) this.#load(backlog, this.#line, at, value, shared);
          this.#sendQueued();
        },
        (error: unknown) => {
          if (this.#loading !== turn) return;
          this.#loading = undefined;
          this.#line?.receiver.failed(error);
        },
      );
  }

  #load(backlog: Backlog, { receiver, level }: Line, at: number, value: Uint8Array, shared: boolean): void {
    const run = decodeStored(value, (name) => receiver.topic(name));
    if (run === undefined) {
      backlog.discard(at, shared);
      return;
    }
    backlog.retake(at, run.count, value.length, shared);
    const segment = run.encode(level, 1);
    let from = 0;
    // Messages that an earlier connection acknowledged divide the row into pieces.
    for (let i = 0; i <= run.count; i += 1) {
      if (i < run.count && !backlog.isDone(at, i)) continue;
      if (i > from)
        this.#push({
          segment: from === 0 && i === run.count ? segment : part(segment, from, i),
          topic: run.topic as TopicEntry,
          expiresAt: run.expiresAt,
          row: at,
          first: from,
          rights: -1,
          next: 0,
        });
      from = i + 1;
    }
  }
}

/** Messages `from` to `to` of a segment. */
const part = (segment: Segment, from: number, to: number): Segment => ({
  ...segment,
  count: to - from,
  at: segment.at.slice(from, to + 1),
  idAt: segment.idAt.slice(from, to),
});

/** Writes the identifier of the packet at `at`; a topic that is known spares reading its length. */
function writeId(bytes: Buffer, at: number, topic: TopicEntry | undefined, id: number): void {
  let pos = at + 1;
  while ((bytes[pos] as number) >= 0x80) pos += 1;
  const length = topic?.bytes.length ?? ((bytes[pos + 1] as number) << 8) | (bytes[pos + 2] as number);
  pos += 3 + length;
  bytes[pos] = id >> 8;
  bytes[pos + 1] = id & 0xff;
}
